import { isJsonObject, type Json, type JsonObject, type LogRecord } from "#logging/record.ts";
import type { RedactionLevel } from "#logging/redaction-level.ts";
import { redactResponse } from "#logging/redact-response.ts";
import { redactedText } from "#logging/redacted-text.ts";

/** Request parameters that are no content. Everything else of `modelParameters` goes (schemas, stop texts, biases). */
const plainParameters = [
  "temperature",
  "top_p",
  "n",
  "stream",
  "max_tokens",
  "max_completion_tokens",
  "presence_penalty",
  "frequency_penalty",
  "seed",
  "logprobs",
  "top_logprobs",
  "parallel_tool_calls",
  "service_tier",
  "reasoning_effort",
  "encoding_format",
  "dimensions",
] as const;

/** Metadata that names traces, sessions and generations: it survives `content`. */
const namingMetadata = [
  "trace_id",
  "existing_trace_id",
  "session_id",
  "trace_user_id",
  "generation_id",
  "parent_observation_id",
  "trace_name",
  "generation_name",
  "version",
  "trace_version",
  "trace_release",
  "tags",
] as const;

/** Switches that only make a record more private, or say how a trace is continued: they survive every level. */
const privacyMetadata = ["mask_input", "mask_output", "update_trace_keys"] as const;

/** Tags that copy a header of the client. */
const headerTag = /^User-Agent: /;

/** Metadata keys whose values an operator lets through `content`. */
export type RedactionOptions = { keepMetadata: readonly string[] };

/**
 * Takes out of a record what a level forbids, by naming what may stay: a field that nobody thought of does not leave.
 * Returns a new record; the given one is not changed.
 */
export function redact(record: LogRecord, level: RedactionLevel, options: RedactionOptions): LogRecord {
  if (level === "off") return record;
  const content = redactContent(record, options);
  return level === "content" ? content : redactToMetadata(content);
}

function redactContent(record: LogRecord, { keepMetadata }: RedactionOptions): LogRecord {
  const { input, caller } = record;
  return {
    ...record,
    input: {
      messages: [{ role: "user", content: redactedText }],
      ...(input.tools === undefined ? {} : { tools: toolNames(input.tools) }),
      ...(input.functions === undefined ? {} : { functions: toolNames(input.functions) }),
    },
    response: record.response === null ? null : redactResponse(record.response),
    modelParameters: pickScalars(record.modelParameters, plainParameters),
    caller: { ...caller, userEmail: null },
    requestTags: record.requestTags.filter((tag) => !headerTag.test(tag)),
    requesterMetadata: pick(record.requesterMetadata, [...namingMetadata, ...privacyMetadata, ...keepMetadata]),
    requesterIpAddress: null,
    userAgent: null,
    error: record.error === null ? null : { ...record.error, message: redactedText },
  };
}

function redactToMetadata(record: LogRecord): LogRecord {
  return {
    ...record,
    callId: record.callIdIsClients ? record.recordId : record.callId,
    apiBase: null,
    endUser: null,
    requestTags: [],
    requesterMetadata: pick(record.requesterMetadata, privacyMetadata),
  };
}

/** Tool and function definitions with nothing but their names. */
function toolNames(tools: Json): Json {
  if (!Array.isArray(tools)) return [];
  return tools.map((tool) => {
    if (!isJsonObject(tool)) return {};
    const named = isJsonObject(tool.function) ? tool.function : null;
    return {
      ...(typeof tool.type === "string" ? { type: tool.type } : {}),
      ...(typeof tool.name === "string" ? { name: tool.name } : {}),
      ...(typeof named?.name === "string" ? { function: { name: named.name } } : {}),
    };
  });
}

function pickScalars(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    Object.entries(pick(object, names)).filter(([, value]) => typeof value !== "object" || value === null),
  );
}

function pick(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => names.includes(name)));
}
