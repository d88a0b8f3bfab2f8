import { isJsonObject, type Json, type JsonObject } from "#logging/record.ts";
import type { OperationName } from "#gateway/operation.ts";

/** Tokens are estimated, not counted: vendors have different tokenizers, and four bytes are a token of most text. */
const bytesPerToken = 4;
/** What a picture costs at most at the vendors that say so; other files by their bytes. */
const imageTokensMax = 1_600;
const fileBytesPerToken = 100;

/** Fields of a request that a model reads. */
const promptFields = [
  ...["messages", "input", "prompt", "system", "instructions", "tools", "functions", "query", "documents"],
  ...["response_format", "text"],
];

/** How many tokens the prompt of a request has, about. Never negative and always finite. */
export function estimatePromptTokens(body: JsonObject): number {
  let tokens = 0;
  for (const name of promptFields) {
    const value = body[name];
    if (value !== undefined && value !== null) tokens += countTokens(value, false);
  }
  return Math.ceil(tokens);
}

/** Where each API has what the model wrote. */
const answerFields: Readonly<Partial<Record<OperationName, string>>> = {
  chat: "choices",
  text: "choices",
  responses: "output",
  messages: "content",
  transcription: "text",
  translation: "text",
};

/** How many tokens an answer has, about, as far as it came. Text, tool arguments, reasoning and refusals all count. */
export function estimateAnswerTokens(operation: OperationName, response: JsonObject | null): number {
  const field = answerFields[operation];
  const value = field === undefined ? undefined : response?.[field];
  return value === undefined || value === null ? 0 : Math.ceil(countTokens(value, true));
}

/** Fields of an answer that the model did not write. */
const framing = new Set([
  ...["id", "call_id", "object", "type", "role", "status", "index", "finish_reason", "stop_reason", "logprobs"],
  ...["signature", "encrypted_content", "annotations", "citations"],
]);

function countTokens(value: Json, isAnswer: boolean): number {
  if (typeof value === "string") return Buffer.byteLength(value) / bytesPerToken;
  // Prompts also come as lists of tokens.
  if (typeof value === "number") return isAnswer ? 0 : 1;
  if (typeof value !== "object" || value === null) return 0;
  let tokens = 0;
  if (Array.isArray(value)) {
    for (const item of value) tokens += countTokens(item, isAnswer);
    return tokens;
  }
  for (const [name, inner] of Object.entries(value)) {
    if (isAnswer && framing.has(name)) continue;
    tokens +=
      typeof inner === "string" && isMedia(name, inner) ? countMedia(value, inner) : countTokens(inner, isAnswer);
  }
  return tokens;
}

const mediaFields = ["url", "image_url", "data", "file_data", "b64_json"];
const shortTextMax = 256;

/** Encoded bytes are no text: a picture of a megabyte is no prompt of a quarter of a million tokens. */
function isMedia(name: string, text: string): boolean {
  if (!mediaFields.includes(name)) return false;
  return text.startsWith("data:") || (text.length > shortTextMax && !/\s/.test(text.slice(0, shortTextMax)));
}

function countMedia(part: JsonObject, text: string): number {
  const source = isJsonObject(part.source) ? part.source : part;
  const { media_type: type } = source;
  const isImage = /^data:image|^https?:/.test(text) || (typeof type === "string" && type.startsWith("image/"));
  const bytes = text.length * 0.75;
  return isImage ? Math.min(imageTokensMax, Math.ceil(bytes / bytesPerToken)) : bytes / fileBytesPerToken;
}
