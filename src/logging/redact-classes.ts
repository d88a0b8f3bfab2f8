import type { ContentClass } from "#logging/content-class.ts";
import { isJsonObject, type Json, type JsonObject, type LogRecord } from "#logging/record.ts";
import { inMessages, redactMessage } from "#logging/redact-message.ts";
import { plainOf, redactResponse } from "#logging/redact-response.ts";
import { redactedText } from "#logging/redacted-text.ts";

/** How the parts are taken out that `content` takes out as well, whatever the call was. */
type PartRedaction = {
  toolNames(tools: Json): Json;
  parameters(parameters: JsonObject): JsonObject;
  metadata(metadata: JsonObject): JsonObject;
};

/** What a client may have put in its own words into the request: an upstream's error may quote any of it. */
const quoted: readonly ContentClass[] = [...inMessages, "tool_schemas", "embedding_input"];

/**
 * Takes the chosen classes of content out of a record and leaves the others. Within a class nothing is kept that was
 * not thought of: a message, part or answer of a shape that we do not know goes with any class that it could hold, an
 * error text with any class that it could quote, and log probabilities with the texts that they spell out.
 */
export function redactClasses(record: LogRecord, classes: ReadonlySet<ContentClass>, parts: PartRedaction): LogRecord {
  if (classes.size === 0) return record;
  const { input } = record;
  const hasSchemas = classes.has("tool_schemas");
  const hidesErrors = classes.has("error_text") || hasAny(classes, quoted);
  const hidesParameters = hasSchemas || classes.has("messages") || classes.has("system_prompt");
  return {
    ...record,
    apiBase: classes.has("url_parameters") ? withoutQuery(record.apiBase) : record.apiBase,
    input: {
      ...input,
      messages: redactInput(record, classes),
      ...(input.tools === undefined || !hasSchemas ? {} : { tools: parts.toolNames(input.tools) }),
      ...(input.functions === undefined || !hasSchemas ? {} : { functions: parts.toolNames(input.functions) }),
    },
    response: record.response && redactAnswer(record.response, classes),
    modelParameters: hidesParameters ? parts.parameters(record.modelParameters) : record.modelParameters,
    requestTags: redactTags(record.requestTags, classes),
    requesterMetadata: redactMetadata(record.requesterMetadata, classes, parts),
    requesterIpAddress: classes.has("headers") ? null : record.requesterIpAddress,
    userAgent: classes.has("headers") ? null : record.userAgent,
    error: record.error && hidesErrors ? { ...record.error, message: redactedText } : record.error,
    ...(record.attempts === undefined || !hidesErrors
      ? {}
      : { attempts: record.attempts.map((each) => ({ ...each, error: { ...each.error, message: redactedText } })) }),
  };
}

function redactInput(record: LogRecord, classes: ReadonlySet<ContentClass>): Json {
  const { messages } = record.input;
  const marker = [{ role: "user", content: redactedText }];
  if (record.callType.includes("embedding")) {
    return classes.has("embedding_input") || classes.has("messages") ? marker : messages;
  }
  if (Array.isArray(messages)) return messages.map((message) => redactMessage(message, classes));
  return hasAny(classes, quoted) ? marker : messages;
}

function redactAnswer(response: JsonObject, classes: ReadonlySet<ContentClass>): JsonObject {
  const isContent = hasAny(classes, quoted);
  if (!isContent && !classes.has("logprobs")) return response;
  if (!Array.isArray(response.choices)) return isContent ? redactResponse(response) : response;
  const choices = response.choices.map((choice) => redactChoice(choice, classes, isContent));
  return isContent ? { ...plainOf(response), choices } : { ...response, choices };
}

function redactChoice(choice: Json, classes: ReadonlySet<ContentClass>, isContent: boolean): Json {
  if (!isJsonObject(choice)) return isContent ? { finish_reason: null } : choice;
  const { index, finish_reason: finishReason, text, message, logprobs } = choice;
  if (!isContent) return logprobs === undefined ? choice : { ...choice, logprobs: null };
  const isSpelledOut = hasAny(classes, ["logprobs", "messages", "reasoning", "refusals"]);
  return {
    ...(index === undefined ? {} : { index }),
    finish_reason: typeof finishReason === "string" ? finishReason : null,
    ...(text === undefined ? {} : { text: classes.has("messages") ? redactedText : text }),
    ...(message === undefined ? {} : { message: redactMessage(message, classes) }),
    ...(logprobs === undefined ? {} : { logprobs: isSpelledOut ? null : logprobs }),
  };
}

function redactTags(tags: string[], classes: ReadonlySet<ContentClass>): string[] {
  if (classes.has("tags")) return [];
  return classes.has("headers") ? tags.filter((tag) => !tag.startsWith("User-Agent: ")) : tags;
}

function redactMetadata(metadata: JsonObject, classes: ReadonlySet<ContentClass>, parts: PartRedaction): JsonObject {
  const kept = classes.has("user_metadata") ? parts.metadata(metadata) : { ...metadata };
  if (classes.has("tags")) {
    delete kept.tags;
    delete kept.trace_tags;
  }
  if (classes.has("headers")) delete kept.headers;
  return kept;
}

function withoutQuery(url: string | null): string | null {
  return url?.replace(/[?#].*$/s, "") ?? null;
}

function hasAny(classes: ReadonlySet<ContentClass>, some: readonly ContentClass[]): boolean {
  return some.some((name) => classes.has(name));
}
