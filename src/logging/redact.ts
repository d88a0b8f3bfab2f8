import type { ContentClass } from "#logging/content-class.ts";
import {
  isJsonObject,
  type Json,
  type JsonObject,
  type LogRecord,
  type RecordAttempt,
  type RecordCaller,
} from "#logging/record.ts";
import type { RedactionLevel } from "#logging/redaction-level.ts";
import { redactClasses } from "#logging/redact-classes.ts";
import { redactResponse } from "#logging/redact-response.ts";
import { redactedText } from "#logging/redacted-text.ts";

/** Request parameters that are no content: of these, numbers and booleans stay. Texts and objects are the client's. */
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
  "store",
  "dimensions",
] as const;

/** Metadata that names traces, sessions and generations: as a plain text or number it survives `content`. */
const namingMetadata = [
  "trace_id",
  "existing_trace_id",
  "session_id",
  "trace_session_id",
  "trace_user_id",
  "generation_id",
  "parent_observation_id",
  "trace_name",
  "generation_name",
  "version",
  "trace_version",
  "trace_release",
  // LangSmith's, and the id in the name of an object of a bucket.
  "run_name",
  "project_name",
  "gcs_log_id",
] as const;

const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const uuidPattern = new RegExp(`^${uuid}$`, "i");

/** LangSmith's ids of runs. Their names are common words, so only what has the form of such an id survives `content`. */
const runIdMetadata: Readonly<Record<string, RegExp>> = {
  id: uuidPattern,
  run_id: uuidPattern,
  parent_run_id: uuidPattern,
  dotted_order: new RegExp(`^\\d{8}T\\d{12}Z${uuid}(\\.\\d{8}T\\d{12}Z${uuid})*$`, "i"),
};

/** Tags, as a list or as text with commas: they survive `content`. */
const tagMetadata = ["tags", "trace_tags"] as const;

/** Switches that only make a record more private: they survive every level, as booleans. */
const maskMetadata = ["mask_input", "mask_output"] as const;

/** What `update_trace_keys` may list; it says how a trace is continued. */
const updatableTraceKeys: readonly string[] = [
  ...namingMetadata,
  ...tagMetadata,
  "input",
  "output",
  "trace_metadata",
  "trace_public",
];

/** Kinds of tools that OpenAI names; any other text could be anything. */
const toolTypes: readonly string[] = [
  "function",
  "custom",
  "web_search",
  "web_search_preview",
  "file_search",
  "code_interpreter",
  "computer_use_preview",
  "image_generation",
  "mcp",
];

/** Tags that copy a header of the client. */
const headerTag = "User-Agent: ";

/** Metadata keys whose values an operator lets through `content`, and classes that go whatever the level says. */
export type RedactionOptions = { keepMetadata: readonly string[]; classes?: readonly ContentClass[] };

/**
 * Takes out of a record what a level forbids, by naming what may stay: a field that nobody thought of does not leave.
 * Then the chosen classes, of which `content` holds most and `metadata_only` all. Returns a new record; the given one
 * is not changed.
 */
export function redact(record: LogRecord, level: RedactionLevel, options: RedactionOptions): LogRecord {
  const classed = redactClasses(record, new Set(options.classes), {
    toolNames,
    parameters: pickNumbers,
    metadata: (metadata) => redactMetadata(metadata, options.keepMetadata),
  });
  if (level === "off") return classed;
  const content = redactContent(classed, options);
  return level === "content" ? content : redactToMetadata(content);
}

function redactContent(record: LogRecord, { keepMetadata }: RedactionOptions): LogRecord {
  const { input } = record;
  return {
    recordId: record.recordId,
    callId: record.callId,
    ...(record.callIdIsClients === undefined ? {} : { callIdIsClients: record.callIdIsClients }),
    responseId: record.responseId,
    callType: record.callType,
    route: record.route,
    status: record.status,
    clientDisconnected: record.clientDisconnected,
    stream: record.stream,
    startTimeMs: record.startTimeMs,
    completionStartTimeMs: record.completionStartTimeMs,
    endTimeMs: record.endTimeMs,
    provider: record.provider,
    model: record.model,
    modelGroup: record.modelGroup,
    modelId: record.modelId,
    apiBase: record.apiBase,
    input: {
      messages: [{ role: "user", content: redactedText }],
      ...(input.tools === undefined ? {} : { tools: toolNames(input.tools) }),
      ...(input.functions === undefined ? {} : { functions: toolNames(input.functions) }),
    },
    response: record.response === null ? null : redactResponse(record.response),
    modelParameters: pickNumbers(record.modelParameters),
    usage: record.usage,
    responseCostUsd: record.responseCostUsd,
    cacheHit: record.cacheHit,
    caller: redactCaller(record.caller),
    endUser: record.endUser,
    requestTags: record.requestTags.filter((tag) => !tag.startsWith(headerTag)),
    requesterMetadata: redactMetadata(record.requesterMetadata, keepMetadata),
    requesterIpAddress: null,
    userAgent: null,
    error: record.error && { code: record.error.code, class: record.error.class, message: redactedText },
    ...(record.attempts === undefined ? {} : { attempts: record.attempts.map(redactAttempt) }),
  };
}

/** An attempt without its error's text. */
function redactAttempt({ error, ...attempt }: RecordAttempt): RecordAttempt {
  return { ...attempt, error: { code: error.code, class: error.class, message: redactedText } };
}

function redactToMetadata(record: LogRecord): LogRecord {
  return {
    ...record,
    callId: record.callIdIsClients ? record.recordId : record.callId,
    apiBase: null,
    input: { messages: record.input.messages },
    response: record.response && withoutToolCalls(record.response),
    endUser: null,
    requestTags: [],
    requesterMetadata: privacyMetadata(record.requesterMetadata),
    ...(record.attempts === undefined
      ? {}
      : { attempts: record.attempts.map((attempt) => ({ ...attempt, apiBase: null })) }),
  };
}

/** Tools have names that people chose; that there were calls stays in the reason for which the answer ended. */
function withoutToolCalls(response: JsonObject): JsonObject {
  if (!Array.isArray(response.choices)) return response;
  const choices = response.choices.map((choice) => {
    if (!isJsonObject(choice) || !isJsonObject(choice.message)) return choice;
    const { tool_calls: _toolCalls, function_call: _functionCall, ...message } = choice.message;
    return { ...choice, message };
  });
  return { ...response, choices };
}

function redactCaller({ keyHash, keyAlias, userId, teamId, teamAlias, organizationId }: RecordCaller): RecordCaller {
  return { keyHash, keyAlias, userId, userEmail: null, teamId, teamAlias, organizationId };
}

function redactMetadata(metadata: JsonObject, keepMetadata: readonly string[]): JsonObject {
  const kept: JsonObject = privacyMetadata(metadata);
  for (const name of namingMetadata) {
    const value = metadata[name];
    if (typeof value === "string" || typeof value === "number") kept[name] = value;
  }
  for (const [name, pattern] of Object.entries(runIdMetadata)) {
    const value = metadata[name];
    if (typeof value === "string" && pattern.test(value.trim())) kept[name] = value;
  }
  for (const name of tagMetadata) {
    const value = metadata[name];
    if (typeof value === "string") kept[name] = value;
    else if (Array.isArray(value)) kept[name] = value.filter((tag) => typeof tag === "string");
  }
  for (const name of keepMetadata) {
    const value = Object.hasOwn(metadata, name) ? metadata[name] : undefined;
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

/** What steers privacy, without the client's own words: a mask's value and a list of keys could hold any text. */
function privacyMetadata(metadata: JsonObject): JsonObject {
  const kept: JsonObject = {};
  for (const name of maskMetadata) {
    const value = metadata[name];
    if (value !== undefined) kept[name] = typeof value === "string" ? !isNo(value) : Boolean(value);
  }
  const keys = metadata.update_trace_keys;
  if (keys !== undefined) {
    const given = typeof keys === "string" ? keys.split(/[^A-Za-z0-9_]+/) : Array.isArray(keys) ? keys : [];
    kept.update_trace_keys = given.filter((key) => typeof key === "string" && updatableTraceKeys.includes(key));
  }
  return kept;
}

/** Headers make every value a text; these say no, as Langfuse's own reading of a mask has it. */
function isNo(text: string): boolean {
  return ["", "0", "false", "no", "none", "null", "off"].includes(text.trim().toLowerCase());
}

/** Tool and function definitions with nothing but their kinds and names. */
function toolNames(tools: Json): Json {
  if (!Array.isArray(tools)) return [];
  return tools.map((tool) => {
    if (!isJsonObject(tool)) return {};
    return {
      ...(typeof tool.type === "string" && toolTypes.includes(tool.type) ? { type: tool.type } : {}),
      ...nameOf(tool),
      ...(isJsonObject(tool.function) ? { function: nameOf(tool.function) } : {}),
      ...(isJsonObject(tool.custom) ? { custom: nameOf(tool.custom) } : {}),
    };
  });
}

function nameOf({ name }: JsonObject): JsonObject {
  return typeof name === "string" ? { name } : {};
}

function pickNumbers(parameters: JsonObject): JsonObject {
  const picked: JsonObject = {};
  for (const name of plainParameters) {
    const value = parameters[name];
    if (typeof value === "number" || typeof value === "boolean") picked[name] = value;
  }
  return picked;
}
