import { isJsonObject, type Json, type JsonObject } from "#logging/record.ts";
import { redactedText } from "#logging/redacted-text.ts";

/** Fields of an answer that say nothing of what was asked or answered. */
const plainFields = ["id", "object", "created", "model", "system_fingerprint", "service_tier", "usage"] as const;

/**
 * An upstream's answer without its content: choices keep index, finish reason, roles and tool names, embeddings lose
 * their vectors, an answer of a shape we do not know becomes one marker. Usage and ids stay.
 */
export function redactResponse(response: JsonObject): JsonObject {
  const plain = plainOf(response);
  if (Array.isArray(response.choices)) return { ...plain, choices: response.choices.map(redactChoice) };
  if (Array.isArray(response.data)) return { ...plain, data: [] };
  return { ...plain, text: redactedText };
}

/** The fields of an answer that are no content: ids, model, times, token counts. */
export function plainOf(response: JsonObject): JsonObject {
  const plain: JsonObject = {};
  for (const name of plainFields) {
    const value = response[name];
    if (value !== undefined) plain[name] = name === "usage" ? numbersOnly(value) : scalarOrNull(value);
  }
  return plain;
}

function redactChoice(choice: Json): Json {
  if (!isJsonObject(choice)) return { finish_reason: null };
  return {
    ...(typeof choice.index === "number" ? { index: choice.index } : {}),
    finish_reason: typeof choice.finish_reason === "string" ? choice.finish_reason : null,
    ...(choice.text === undefined ? {} : { text: redactedText }),
    ...(isJsonObject(choice.message) ? { message: redactMessage(choice.message) } : {}),
  };
}

/** The roles that a message may have; any other text could be anything. */
export const roles: readonly string[] = ["assistant", "tool", "function", "system", "developer", "user"];

function redactMessage(message: JsonObject): JsonObject {
  const redacted: JsonObject = {
    role: typeof message.role === "string" && roles.includes(message.role) ? message.role : "assistant",
    content: redactedText,
  };
  if (isPresent(message.reasoning_content)) redacted.reasoning_content = redactedText;
  if (isPresent(message.refusal)) redacted.refusal = redactedText;
  if (message.thinking_blocks !== undefined) redacted.thinking_blocks = null;
  if (message.audio !== undefined) redacted.audio = null;
  if (Array.isArray(message.tool_calls)) redacted.tool_calls = message.tool_calls.map(redactToolCall);
  if (isJsonObject(message.function_call)) redacted.function_call = redactFunction(message.function_call);
  return redacted;
}

/** A tool call with nothing but its id, kind and name. */
export function redactToolCall(call: Json): Json {
  if (!isJsonObject(call)) return { type: "function" };
  const named = isJsonObject(call.function) ? call.function : isJsonObject(call.custom) ? call.custom : null;
  return {
    ...(typeof call.id === "string" ? { id: call.id } : {}),
    type: call.type === "custom" ? "custom" : "function",
    ...(named ? { function: redactFunction(named) } : {}),
  };
}

/** A called function with its name, and a marker for its arguments. */
export function redactFunction(named: JsonObject): JsonObject {
  return { ...(typeof named.name === "string" ? { name: named.name } : {}), arguments: redactedText };
}

/** Token counts, one level of details included; anything else that stands in a usage object goes. */
function numbersOnly(value: Json): Json {
  if (typeof value === "number") return value;
  if (!isJsonObject(value)) return null;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => typeof part === "number" || isJsonObject(part))
      .map(([name, part]) => [name, numbersOnly(part)]),
  );
}

function scalarOrNull(value: Json): Json {
  return typeof value === "object" ? null : value;
}

function isPresent(value: Json | undefined): boolean {
  return value !== undefined && value !== null;
}
