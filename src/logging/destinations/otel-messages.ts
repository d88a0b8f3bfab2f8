import { isJsonObject } from "#logging/record.ts";
import type { Json, JsonObject, LogRecord } from "#logging/record.ts";
import { readJson } from "#lib/read-json.ts";

/** A call's content as the GenAI conventions write it. Undefined: the call has none of it. */
export type GenAiContent = {
  systemInstructions?: JsonObject[];
  inputMessages?: JsonObject[];
  outputMessages?: JsonObject[];
  toolDefinitions?: Json[];
};

/**
 * The messages of a call as roles and parts. Leading system and developer messages are the instructions. What has no
 * form in the conventions keeps its own as a part of its own type, so that nothing is lost.
 */
export function toGenAiContent(record: LogRecord): GenAiContent {
  const messages = toMessageList(record.input.messages);
  const start = messages.findIndex((message) => !isInstruction(message));
  const instructions = messages.slice(0, start === -1 ? messages.length : start);
  const others = messages.slice(instructions.length);
  const output = toOutputMessages(record);
  const tools = [...toList(record.input.tools), ...toList(record.input.functions).map(wrapFunction)];
  return {
    ...(instructions.length === 0 ? {} : { systemInstructions: instructions.flatMap(toParts) }),
    ...(others.length === 0 ? {} : { inputMessages: others.map(toMessage) }),
    ...(output.length === 0 ? {} : { outputMessages: output }),
    ...(tools.length === 0 ? {} : { toolDefinitions: tools.map(toToolDefinition) }),
  };
}

function isInstruction(message: JsonObject): boolean {
  return message["role"] === "system" || message["role"] === "developer";
}

/** A text, or anything that is no list of messages, is what the user said. */
function toMessageList(messages: Json): JsonObject[] {
  if (messages === null) return [];
  if (!Array.isArray(messages)) return [isJsonObject(messages) ? messages : { role: "user", content: messages }];
  return messages.map((message) => (isJsonObject(message) ? message : { role: "user", content: message }));
}

function toMessage(message: JsonObject): JsonObject {
  const { name } = message;
  return {
    role: typeof message["role"] === "string" ? message["role"] : "user",
    parts: toParts(message),
    ...(typeof name === "string" ? { name } : {}),
  };
}

function toParts(message: JsonObject): JsonObject[] {
  const id = message["tool_call_id"];
  if (message["role"] === "tool" || message["role"] === "function") {
    const response = message["content"] ?? null;
    return [{ type: "tool_call_response", ...(typeof id === "string" ? { id } : {}), response }];
  }
  const reasoning = message["reasoning_content"];
  const call = message["function_call"];
  return [
    ...(typeof reasoning === "string" && reasoning !== "" ? [{ type: "reasoning", content: reasoning }] : []),
    ...contentParts(message["content"] ?? null),
    ...textPart(message["refusal"]),
    ...toList(message["tool_calls"]).map(toToolCall),
    ...(isJsonObject(call) ? [toToolCall({ function: call })] : []),
  ];
}

function contentParts(content: Json): JsonObject[] {
  if (content === null || content === "") return [];
  if (Array.isArray(content)) return content.map(toContentPart);
  return [isJsonObject(content) ? toContentPart(content) : { type: "text", content: String(content) }];
}

/** OpenAI's, Anthropic's and the Responses API's kinds of parts. */
function toContentPart(part: Json): JsonObject {
  if (!isJsonObject(part)) return { type: "text", content: typeof part === "string" ? part : JSON.stringify(part) };
  const { type, text } = part;
  if (typeof text === "string") return { type: "text", content: text };
  const image = part["image_url"];
  const url = isJsonObject(image) ? image["url"] : image;
  if (typeof url === "string") return toMediaPart(url);
  const audio = part["input_audio"];
  if (isJsonObject(audio) && typeof audio["data"] === "string") {
    const format = typeof audio["format"] === "string" ? audio["format"] : "wav";
    return { type: "blob", modality: "audio", mime_type: `audio/${format}`, content: audio["data"] };
  }
  if (type === "thinking" && typeof part["thinking"] === "string") {
    return { type: "reasoning", content: part["thinking"] };
  }
  if (type === "tool_use") {
    return { type: "tool_call", id: part["id"] ?? null, name: part["name"] ?? "", arguments: part["input"] ?? null };
  }
  if (type === "tool_result") {
    return { type: "tool_call_response", id: part["tool_use_id"] ?? null, response: part["content"] ?? null };
  }
  return typeof type === "string" ? part : { type: "unknown", ...part };
}

function toMediaPart(url: string): JsonObject {
  const data = /^data:([^;,]+);base64,(.*)$/s.exec(url);
  if (!data) return { type: "uri", modality: "image", uri: url };
  return { type: "blob", modality: "image", mime_type: data[1] ?? "", content: data[2] ?? "" };
}

function toToolCall(call: Json): JsonObject {
  const own = isJsonObject(call) ? call : {};
  const named = isJsonObject(own["function"]) ? own["function"] : own;
  const { id } = own;
  return {
    type: "tool_call",
    ...(typeof id === "string" ? { id } : {}),
    name: named["name"] ?? "",
    arguments: toArguments(named["arguments"] ?? null),
  };
}

/** Arguments travel as JSON text; half of one, of a cut stream, stays text. */
function toArguments(value: Json): Json {
  if (typeof value !== "string") return value;
  try {
    const parsed: unknown = readJson(value);
    return isJsonObject(parsed) ? parsed : value;
  } catch {
    return value;
  }
}

function toOutputMessages(record: LogRecord): JsonObject[] {
  const { response } = record;
  if (response === null || record.callType.includes("embedding")) return [];
  const choices = response["choices"];
  if (Array.isArray(choices)) return choices.filter(isJsonObject).map(toChoiceMessage);
  if (response["type"] === "message") {
    return [
      withReason({ role: "assistant", parts: contentParts(response["content"] ?? null) }, response["stop_reason"]),
    ];
  }
  const output = response["output"];
  if (Array.isArray(output)) return [toResponsesMessage(output, response["status"])];
  return typeof response["text"] === "string"
    ? [withReason({ role: "assistant", parts: contentParts(response["text"]) }, undefined)]
    : [];
}

function toChoiceMessage(choice: JsonObject): JsonObject {
  const message = choice["message"];
  const parts = isJsonObject(message) ? toParts(message) : textPart(choice["text"]);
  return withReason({ role: "assistant", parts }, choice["finish_reason"]);
}

/** The output items of the Responses API make up one answer. */
function toResponsesMessage(items: readonly Json[], status: Json | undefined): JsonObject {
  const parts = items.filter(isJsonObject).flatMap((item) => {
    if (item["type"] === "function_call") return [toToolCall({ id: item["call_id"] ?? null, function: item })];
    return Array.isArray(item["content"]) ? contentParts(item["content"]) : [toContentPart(item)];
  });
  return withReason({ role: "assistant", parts }, status === "completed" ? "stop" : status);
}

/** The conventions require a reason; a stream that was cut has none. */
function withReason(message: JsonObject, reason: Json | undefined): JsonObject {
  return { ...message, finish_reason: typeof reason === "string" && reason !== "" ? reason : "unknown" };
}

function textPart(text: Json | undefined): JsonObject[] {
  return typeof text === "string" && text !== "" ? [{ type: "text", content: text }] : [];
}

function wrapFunction(tool: Json): Json {
  return { type: "function", function: tool };
}

function toToolDefinition(tool: Json): Json {
  if (!isJsonObject(tool) || !isJsonObject(tool["function"])) return tool;
  return { type: "function", ...tool["function"] };
}

function toList(value: Json | undefined): Json[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
