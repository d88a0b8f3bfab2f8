import { toUsage } from "#gateway/usage.ts";
import { UpstreamError } from "#lib/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "#logging/record.ts";
import { readJson } from "#lib/read-json.ts";

/** A chat completion as Anthropic's message. Throws `UpstreamError` where it is none. */
export function toMessage(completion: JsonObject): JsonObject {
  const [choice] = Array.isArray(completion.choices) ? completion.choices : [];
  if (!isJsonObject(choice) || !isJsonObject(choice.message)) {
    throw new UpstreamError(0, "The upstream's answer holds no message.");
  }
  const { message } = choice;
  return {
    id: toMessageId(completion.id),
    type: "message",
    role: "assistant",
    model: typeof completion.model === "string" ? completion.model : "",
    content: toBlocks(message),
    stop_reason: typeof message.refusal === "string" ? "refusal" : toStopReason(choice.finish_reason),
    stop_sequence: null,
    usage: toMessageUsage(completion.usage),
  };
}

/** The upstream's id under Anthropic's prefix, by which clients tell what it is of. */
export function toMessageId(id: Json | undefined): string {
  return `msg_${typeof id === "string" ? id : "unknown"}`;
}

/** Anthropic's word for the end of an answer. https://docs.anthropic.com/en/api/handling-stop-reasons */
export function toStopReason(finishReason: Json | undefined): string {
  switch (finishReason) {
    case "length":
      return "max_tokens";
    case "tool_calls":
    case "function_call":
      return "tool_use";
    case "content_filter":
      return "refusal";
    default:
      return "end_turn";
  }
}

/** Token counts in Anthropic's form, which counts cached input beside the rest of it. */
export function toMessageUsage(usage: Json | undefined): JsonObject {
  const { promptTokens, completionTokens, cacheReadTokens, cacheWriteTokens } = toUsage(usage);
  return {
    input_tokens: Math.max(0, promptTokens - cacheReadTokens - cacheWriteTokens),
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cacheReadTokens,
    output_tokens: completionTokens,
  };
}

function toBlocks(message: JsonObject): JsonObject[] {
  const blocks: JsonObject[] = toThoughts(message);
  for (const text of [message.content, message.refusal]) {
    if (typeof text === "string" && text !== "") blocks.push({ type: "text", text });
  }
  for (const call of Array.isArray(message.tool_calls) ? message.tool_calls : []) {
    if (isJsonObject(call) && isJsonObject(call.function)) blocks.push(toToolUse(call.id, call.function));
  }
  return blocks;
}

/** Thoughts that their vendor signed as they are; others have an empty signature. */
function toThoughts({ thinking_blocks: signed, reasoning_content: content, reasoning }: JsonObject): JsonObject[] {
  if (Array.isArray(signed)) return signed.filter(isJsonObject);
  const text = content ?? reasoning;
  return typeof text === "string" && text !== "" ? [{ type: "thinking", thinking: text, signature: "" }] : [];
}

function toToolUse(id: Json | undefined, { name, arguments: text }: JsonObject): JsonObject {
  return { type: "tool_use", id: id ?? "", name: name ?? "", input: readInput(text) };
}

function readInput(text: Json | undefined): JsonObject {
  if (typeof text !== "string" || text.trim() === "") return {};
  try {
    const value: unknown = readJson(text);
    if (isJsonObject(value)) return value;
  } catch {
    // Told below, together with what is JSON and no object.
  }
  throw new UpstreamError(0, "The upstream's answer calls a tool with arguments that are no JSON object.");
}
