import { isObject, parseJson } from "./fake-server.ts";
import type { Plain, RawSpan } from "./langfuse-otlp.ts";

/**
 * What Langfuse makes of a span: the first attribute that is there decides each field. Fields that the server drops
 * without telling the sender are null here too, and `warnings` says so.
 */

/** A span as it would show in Langfuse. JSON texts are parsed; what is absent is null. */
export type DecodedSpan = RawSpan & {
  type: string;
  /** ISO 8601, milliseconds. */
  startTime: string;
  endTime: string;
  completionStartTime: string | null;
  input: Plain;
  output: Plain;
  model: string | null;
  modelParameters: Record<string, Plain> | null;
  usage: Record<string, number> | null;
  cost: Record<string, number> | null;
  userId: string | null;
  sessionId: string | null;
  traceName: string | null;
  tags: string[];
  environment: string;
  version: string | null;
  release: string | null;
  public: boolean;
  level: string;
  statusMessage: string | null;
  promptName: string | null;
  promptVersion: number | null;
  metadata: Record<string, Plain>;
  traceMetadata: Record<string, Plain>;
  isRoot: boolean;
  warnings: string[];
};

const operationTypes: Record<string, string> = {
  chat: "generation",
  completion: "generation",
  text_completion: "generation",
  generate_content: "generation",
  generate: "generation",
  embeddings: "embedding",
  execute_tool: "tool",
  invoke_agent: "agent",
  create_agent: "agent",
};
const levels: Record<string, string> = { TRACE: "DEBUG", INFO: "DEFAULT", WARN: "WARNING", FATAL: "ERROR" };
const levelNames = new Set(["DEBUG", "DEFAULT", "WARNING", "ERROR"]);

/** Maps a span's attributes to Langfuse's fields. */
export function decodeSpan(span: RawSpan): DecodedSpan {
  const warnings: string[] = [];
  const own = (...names: string[]) => firstOf(span.attributes, names);
  const any = (...names: string[]) => own(...names) ?? firstOf(span.resourceAttributes, names);
  const promptVersion = Number(own("langfuse.observation.prompt.version") ?? Number.NaN);
  return {
    ...span,
    type: typeOf(span.attributes),
    startTime: toIso(span.startTimeUnixNano),
    endTime: toIso(span.endTimeUnixNano),
    completionStartTime: text(own("langfuse.observation.completion_start_time")),
    input: parsed(own("langfuse.observation.input", "gen_ai.input.messages")),
    output: parsed(own("langfuse.observation.output", "gen_ai.output.messages")),
    model: text(own("langfuse.observation.model.name", "gen_ai.response.model", "gen_ai.request.model")),
    modelParameters: modelParametersOf(span.attributes, warnings),
    usage: usageOf(span.attributes, warnings),
    cost: costOf(span.attributes, warnings),
    userId: text(own("langfuse.user.id", "user.id", "langfuse.observation.metadata.langfuse_user_id")),
    sessionId: text(own("langfuse.session.id", "session.id", "gen_ai.conversation.id")),
    traceName: text(own("langfuse.trace.name")),
    tags: tagsOf(own("langfuse.trace.tags", "langfuse.tags")),
    environment:
      text(any("langfuse.environment", "deployment.environment.name", "deployment.environment")) ?? "default",
    version: text(own("langfuse.version")) ?? text(span.resourceAttributes["service.version"]),
    release: text(any("langfuse.release")),
    public: [true, "true"].some((value) => value === own("langfuse.trace.public", "langfuse.public")),
    level: levelOf(span),
    statusMessage: text(own("langfuse.observation.status_message")) ?? (span.status.message || null),
    promptName: text(own("langfuse.observation.prompt.name")),
    promptVersion: Number.isNaN(promptVersion) ? null : promptVersion,
    metadata: metadataOf(span.attributes, "langfuse.observation.metadata", warnings),
    traceMetadata: metadataOf(span.attributes, "langfuse.trace.metadata", warnings),
    isRoot: span.parentSpanId === null || text(own("langfuse.internal.as_root")) === "true",
    warnings,
  };
}

function typeOf(attributes: Record<string, Plain>): string {
  const named = firstOf(attributes, ["langfuse.observation.type", "openinference.span.kind"]);
  if (typeof named === "string") return named.toLowerCase();
  return operationTypes[text(attributes["gen_ai.operation.name"]) ?? ""] ?? "span";
}

function levelOf(span: RawSpan): string {
  const given = (text(span.attributes["langfuse.observation.level"]) ?? "").toUpperCase();
  const level = levels[given] ?? given;
  if (levelNames.has(level)) return level;
  return span.status.code === 2 ? "ERROR" : "DEFAULT";
}

function modelParametersOf(attributes: Record<string, Plain>, warnings: string[]): Record<string, Plain> | null {
  const given = attributes["langfuse.observation.model.parameters"];
  if (given !== undefined) return objectOf(given, "langfuse.observation.model.parameters", warnings);
  const prefix = "gen_ai.request.";
  const found = Object.entries(attributes)
    .filter(([name]) => name.startsWith(prefix) && name !== "gen_ai.request.model")
    .map(([name, value]) => [name.slice(prefix.length), value] as const);
  return found.length > 0 ? Object.fromEntries(found) : null;
}

function usageOf(attributes: Record<string, Plain>, warnings: string[]): Record<string, number> | null {
  const given = attributes["langfuse.observation.usage_details"];
  if (given !== undefined) {
    const usage = objectOf(given, "langfuse.observation.usage_details", warnings);
    return usage && numbersOf(usage, "usage_details", { integers: true, warnings });
  }
  const count = (...names: string[]) =>
    Number(
      firstOf(
        attributes,
        names.map((name) => `gen_ai.usage.${name}`),
      ) ?? 0,
    );
  const input = count("input_tokens", "prompt_tokens");
  const output = count("output_tokens", "completion_tokens");
  if (input === 0 && output === 0) return null;
  const cached = count("cache_read.input_tokens");
  const written = count("cache_creation.input_tokens");
  const reasoning = count("reasoning.output_tokens");
  return {
    input: input - cached - written,
    output: output - reasoning,
    total: count("total_tokens") || input + output,
    ...(cached > 0 ? { input_cached_tokens: cached } : {}),
    ...(written > 0 ? { input_cache_creation: written } : {}),
    ...(reasoning > 0 ? { output_reasoning_tokens: reasoning } : {}),
  };
}

function costOf(attributes: Record<string, Plain>, warnings: string[]): Record<string, number> | null {
  const given = attributes["langfuse.observation.cost_details"];
  if (given !== undefined) {
    const cost = objectOf(given, "langfuse.observation.cost_details", warnings);
    return cost && numbersOf(cost, "cost_details", { integers: false, warnings });
  }
  const total = firstOf(attributes, ["gen_ai.usage.cost", "llm.cost.total"]);
  return typeof total === "number" ? { total } : null;
}

/** Keeps non-negative numbers (integers only, where asked); the server drops the rest. */
function numbersOf(
  object: Record<string, Plain>,
  place: string,
  { integers, warnings }: { integers: boolean; warnings: string[] },
): Record<string, number> {
  const kept: Record<string, number> = {};
  for (const [name, value] of Object.entries(object)) {
    if (typeof value === "number" && value >= 0 && (!integers || Number.isInteger(value))) kept[name] = value;
    else warnings.push(`${place}.${name} was dropped: ${JSON.stringify(value)}`);
  }
  return kept;
}

/** `<prefix>` as a JSON object, with every `<prefix>.<key>` merged over it. */
function metadataOf(attributes: Record<string, Plain>, prefix: string, warnings: string[]): Record<string, Plain> {
  const whole = attributes[prefix];
  const metadata: Record<string, Plain> = {};
  if (whole !== undefined) Object.assign(metadata, objectOf(whole, prefix, warnings));
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith(`${prefix}.`)) metadata[name.slice(prefix.length + 1)] = parsed(value);
  }
  return metadata;
}

function objectOf(value: Plain, place: string, warnings: string[]): Record<string, Plain> | null {
  const object = parsed(value);
  if (isObject(object)) return object;
  warnings.push(`${place} was dropped: it is no JSON object`);
  return null;
}

function tagsOf(value: Plain | undefined): string[] {
  const list = parsed(value);
  if (Array.isArray(list)) return list.map((tag) => text(tag) ?? "");
  return (text(list) ?? "")
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
}

/** A text that holds a JSON object or list is parsed; anything else stays as it is. */
function parsed(value: Plain | undefined): Plain {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value ?? null;
  const json = parseJson(value);
  return isPlain(json) ? json : value;
}

function isPlain(value: unknown): value is Plain {
  return value !== undefined;
}

function firstOf(attributes: Record<string, Plain>, names: readonly string[]): Plain | undefined {
  const name = names.find((candidate) => attributes[candidate] !== undefined);
  return name === undefined ? undefined : attributes[name];
}

function text(value: Plain | undefined): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function toIso(nanoseconds: string): string {
  return new Date(Number(BigInt(nanoseconds) / 1_000_000n)).toISOString();
}
