import { sha256Hex } from "#lib/id.ts";
import { cutText } from "#logging/destinations/langfuse-cap.ts";
import type { Json, JsonObject, LogRecord } from "#logging/record.ts";
import { readJson } from "#lib/read-json.ts";

/** What the client's metadata says about its trace and generation. Null: it says nothing, or nothing usable. */
export type LangfuseSteering = {
  traceId: string | null;
  /** True where the call continues a trace, which is then touched only by what the client lists. */
  continuesTrace: boolean;
  parentObservationId: string | null;
  generationId: string | null;
  generationName: string | null;
  version: string | null;
  trace: LangfuseTraceFields;
  prompt: { name: string; version: number } | null;
  masksInput: boolean;
  masksOutput: boolean;
  debug: boolean;
  /** What is left of the client's metadata: it belongs to the generation. */
  metadata: JsonObject;
};

/** The trace's own fields, after the rules of continuation were applied. */
export type LangfuseTraceFields = {
  name: string | null;
  userId: string | null;
  sessionId: string | null;
  version: string | null;
  release: string | null;
  isPublic: boolean | null;
  tags: string[];
  metadata: JsonObject;
  /** True where the trace's input or output becomes that of this generation although the trace exists already. */
  takesInput: boolean;
  takesOutput: boolean;
};

/** Langfuse's own SDKs drop longer trace values. */
const traceTextMax = 200;

const steeringNames = new Set([
  ...["session_id", "tags", "existing_trace_id", "update_trace_keys", "generation_id", "generation_name"],
  ...["parent_observation_id", "prompt", "version", "mask_input", "mask_output", "debug_langfuse"],
]);

/** Names that hold copies of the request or credentials; LiteLLM exports none of them either. */
const unexportedNames = new Set([
  ...["headers", "endpoint", "caching_groups", "previous_models"],
  ...["langfuse_public_key", "langfuse_secret_key", "langfuse_secret", "langfuse_host"],
]);

const traceNames = new Set([
  ...["trace_id", "trace_name", "trace_user_id", "trace_session_id", "trace_version", "trace_release"],
  ...["trace_public", "trace_tags", "trace_metadata"],
]);

/**
 * Reads LiteLLM's Langfuse steering out of the client's metadata. Nothing in there can make it throw: what has the
 * wrong type is turned into text where that makes sense and ignored where not. `promptVersion` completes a prompt
 * that names no version.
 */
export function readSteering(record: LogRecord, promptVersion: number | null): LangfuseSteering {
  const given = record.requesterMetadata;
  const existingTraceId = toText(given["existing_trace_id"]);
  const continuesTrace = existingTraceId !== null;
  const listed = continuesTrace ? toTexts(given["update_trace_keys"]) : null;
  return {
    traceId: existingTraceId ?? toText(given["trace_id"]),
    continuesTrace,
    parentObservationId: toText(given["parent_observation_id"]),
    generationId: toText(given["generation_id"]),
    generationName: toText(given["generation_name"]),
    version: toText(given["version"]),
    trace: readTrace(record, listed),
    prompt: readPrompt(given["prompt"], promptVersion),
    masksInput: isSet(given["mask_input"]),
    masksOutput: isSet(given["mask_output"]),
    debug: isSet(given["debug_langfuse"]),
    metadata: Object.fromEntries(Object.entries(given).filter(([name]) => isOwnMetadata(name))),
  };
}

/**
 * The trace id on Langfuse's JSON wire: 32 hex digits where the text is that or a UUID, so that it equals the id an
 * OpenTelemetry client of the same trace sends; any other text as it is, which Langfuse accepts in JSON.
 */
export function resolveTraceId(text: string): string {
  const hex = text.toLowerCase().replaceAll("-", "");
  return /^[0-9a-f]{32}$/.test(hex) && !/^0+$/.test(hex) ? hex : text;
}

/**
 * The trace id of a call that names none: its call id, as 32 hex digits. A call id that is no UUID is hashed, because
 * nobody chose it as a trace id and every OpenTelemetry tool on the way takes hex only.
 */
export function toTraceId(callId: string): string {
  const id = resolveTraceId(callId);
  return id === callId && !/^[0-9a-f]{32}$/.test(id) ? sha256Hex(callId).slice(0, 32) : id;
}

/** An id of so many hex digits: the text itself where it is one, else the beginning of its SHA-256, as LiteLLM has it. */
export function toHexId(text: string, digits: 16 | 32): string {
  const hex = text.toLowerCase();
  return hex.length === digits && /^[0-9a-f]+$/.test(hex) && !/^0+$/.test(hex) ? hex : sha256Hex(text).slice(0, digits);
}

function isOwnMetadata(name: string): boolean {
  return !steeringNames.has(name) && !unexportedNames.has(name) && !name.startsWith("trace_");
}

/** `listed` is null for a new trace, else the fields of the existing trace that the client wants overwritten. */
function readTrace(record: LogRecord, listed: readonly string[] | null): LangfuseTraceFields {
  const given = record.requesterMetadata;
  const may = (name: string): boolean => listed === null || listed.includes(name);
  const text = (name: string): string | null => (may(name) ? toText(given[name]) : null);
  const defaultUserId = listed === null ? toText(record.endUser) : null;
  return {
    name: text("trace_name"),
    userId: text("trace_user_id") ?? defaultUserId,
    sessionId: text("session_id") ?? text("trace_session_id"),
    version: text("trace_version") ?? text("version"),
    release: text("trace_release"),
    isPublic: may("trace_public") ? toBoolean(given["trace_public"]) : null,
    tags: [
      ...new Set([
        ...(may("tags") ? toTexts(record.requestTags) : []),
        ...(may("trace_tags") ? toTexts(given["trace_tags"]) : []),
      ]),
    ],
    metadata: readTraceMetadata(given, may),
    takesInput: listed?.includes("input") === true,
    takesOutput: listed?.includes("output") === true,
  };
}

/** `trace_metadata`, and every `trace_*` key that Langfuse has no field for under its name without the prefix. */
function readTraceMetadata(given: JsonObject, may: (name: string) => boolean): JsonObject {
  const others = Object.entries(given).filter(
    ([name, value]) => name.startsWith("trace_") && !traceNames.has(name) && may(name) && value !== null,
  );
  return {
    ...Object.fromEntries(others.map(([name, value]) => [name.slice("trace_".length), value])),
    ...(may("trace_metadata") ? toObject(given["trace_metadata"]) : {}),
  };
}

function readPrompt(value: Json | undefined, promptVersion: number | null): LangfuseSteering["prompt"] {
  const prompt = typeof value === "string" ? (parseJson(value) ?? value) : value;
  if (typeof prompt === "string")
    return prompt === "" || promptVersion === null ? null : { name: prompt, version: promptVersion };
  if (!isJsonObject(prompt)) return null;
  const name = toText(prompt["name"]);
  const version = prompt["version"] === undefined ? promptVersion : Number(prompt["version"]);
  return name === null || version === null || !Number.isSafeInteger(version) || version < 1 ? null : { name, version };
}

/** Ids and names: texts, or numbers and booleans as text, cut to what Langfuse keeps. */
function toText(value: Json | undefined): string | null {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") return null;
  const text = cutText(value.trim(), traceTextMax);
  return text === "" ? null : text;
}

/** A list, a JSON list in a text, or a comma-separated text. */
function toTexts(value: Json | undefined): string[] {
  const parsed = typeof value === "string" ? (parseJson(value) ?? value) : value;
  const list = typeof parsed === "string" ? parsed.split(",") : Array.isArray(parsed) ? parsed : [parsed];
  return list.map(toText).filter((text) => text !== null);
}

/** An object, or one in a JSON text; anything else is kept under the name `value`. */
function toObject(value: Json | undefined): JsonObject {
  if (value === undefined || value === null || value === "") return {};
  const parsed = typeof value === "string" ? (parseJson(value) ?? value) : value;
  return isJsonObject(parsed) ? parsed : { value: parsed };
}

function toBoolean(value: Json | undefined): boolean | null {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return null;
  const text = value.trim().toLowerCase();
  return text === "true" ? true : text === "false" ? false : null;
}

/** Headers make every value a text, so a flag counts as set unless it says no. */
function isSet(value: Json | undefined): boolean {
  if (typeof value === "string")
    return !["", "0", "false", "no", "none", "null", "off"].includes(value.trim().toLowerCase());
  return value !== undefined && value !== null && value !== false && value !== 0;
}

function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Objects and lists written as JSON text; undefined for any other text. */
function parseJson(text: string): Json | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const value: unknown = readJson(text);
    return isJson(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** For what JSON.parse returns, which is JSON by its making. */
function isJson(value: unknown): value is Json {
  return value !== undefined;
}
