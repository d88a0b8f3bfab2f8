import type {
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4GenerateResult,
  LanguageModelV4Usage,
  SharedV4ProviderMetadata,
} from "@ai-sdk/provider";
import { randomUUID } from "node:crypto";
import type { JsonObject } from "#logging/record.ts";

/** What the chunks and the whole of one answer share. */
export type AnswerHead = { id: string; created: number; model: string };

/** The head of an answer that begins now. */
export function makeHead(model: string): AnswerHead {
  return { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model };
}

/** A provider's whole answer as OpenAI's chat completion, with reasoning and cached tokens as LiteLLM writes them. */
export function toChatCompletion(result: LanguageModelV4GenerateResult, model: string): JsonObject {
  const { content, finishReason, usage, response } = result;
  return {
    ...makeHead(response?.modelId ?? model),
    object: "chat.completion",
    choices: [{ index: 0, message: toMessage(content), logprobs: null, finish_reason: toFinishReason(finishReason) }],
    usage: toChatUsage(usage),
  };
}

function toMessage(content: readonly LanguageModelV4Content[]): JsonObject {
  const texts: string[] = [];
  const thoughts: string[] = [];
  const blocks: JsonObject[] = [];
  const calls: JsonObject[] = [];
  for (const part of content) {
    if (part.type === "text") texts.push(part.text);
    else if (part.type === "reasoning") {
      if (part.text !== "") thoughts.push(part.text);
      const block = toThinkingBlock(part.text, part.providerMetadata);
      if (block) blocks.push(block);
    } else if (part.type === "tool-call") {
      const { toolCallId: id, toolName: name, input } = part;
      calls.push({ id, type: "function", function: { name, arguments: input } });
    }
  }
  return {
    role: "assistant",
    content: texts.length === 0 ? null : texts.join(""),
    refusal: null,
    ...(thoughts.length === 0 ? {} : { reasoning_content: thoughts.join("") }),
    ...(blocks.length === 0 ? {} : { thinking_blocks: blocks }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

/** What the client has to send back so that the vendor knows its own thought again; null where it signed nothing. */
export function toThinkingBlock(text: string, metadata: SharedV4ProviderMetadata | undefined): JsonObject | null {
  for (const { signature, redactedData } of Object.values(metadata ?? {})) {
    if (typeof signature === "string") return { type: "thinking", thinking: text, signature };
    if (typeof redactedData === "string") return { type: "redacted_thinking", data: redactedData };
  }
  return null;
}

/** OpenAI's word for the end of an answer. */
export function toFinishReason({ unified }: LanguageModelV4FinishReason): string {
  switch (unified) {
    case "length":
      return "length";
    case "content-filter":
      return "content_filter";
    case "tool-calls":
      return "tool_calls";
    case "stop":
    case "error":
    case "other":
      return "stop";
  }
}

/** Token counts in OpenAI's form; the fields for what was written to the vendor's cache are LiteLLM's. */
export function toChatUsage({ inputTokens, outputTokens }: LanguageModelV4Usage): JsonObject {
  const prompt = inputTokens.total ?? 0;
  const completion = outputTokens.total ?? 0;
  const read = inputTokens.cacheRead ?? 0;
  const written = inputTokens.cacheWrite ?? 0;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: read, ...(written === 0 ? {} : { cache_creation_tokens: written }) },
    completion_tokens_details: { reasoning_tokens: outputTokens.reasoning ?? 0 },
    ...(read === 0 ? {} : { cache_read_input_tokens: read }),
    ...(written === 0 ? {} : { cache_creation_input_tokens: written }),
  };
}
