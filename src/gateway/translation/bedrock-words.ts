import type { SharedV4ProviderOptions } from "@ai-sdk/provider";
import type { ChatRequest } from "#gateway/translation/chat-request.ts";
import type { VendorWords } from "#gateway/translation/chat-options.ts";
import { withoutUndefined } from "#lib/without-undefined.ts";

/**
 * How a model of Amazon Bedrock is spoken to, by its Converse API. Claude takes more there than the others do.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */
export function bedrockWords(model: string): VendorWords {
  const isClaude = model.includes("anthropic.") || model.includes("claude");
  return {
    vendor: "bedrock",
    defaults: isClaude ? { temperature: 1, top_p: 1 } : {},
    refused: ["top_k", ...(isClaude ? [] : ["thinking", "parallel_tool_calls"])],
    cachesTools: false,
    cacheOptions: (ttl) => ({
      amazonBedrock: { cachePoint: { type: "default", ...(ttl === undefined ? {} : { ttl }) } },
    }),
    thoughtOptions(thought) {
      if (thought.type === "redacted_thinking") return { amazonBedrock: { redactedData: thought.data } };
      return thought.signature ? { amazonBedrock: { signature: thought.signature } } : null;
    },
    fetches: (url, mediaType) => url.protocol === "s3:" && mediaType.startsWith("image/"),
    options,
  };
}

function options(request: ChatRequest): SharedV4ProviderOptions {
  const { thinking, parallel_tool_calls: parallel, response_format: format } = request;
  return {
    amazonBedrock: withoutUndefined({
      reasoningConfig: toReasoning(thinking),
      structuredOutputMode: format?.type === "json_object" ? "jsonTool" : undefined,
    }),
    ...(parallel === false ? { anthropic: { disableParallelToolUse: true } } : {}),
  };
}

function toReasoning(thinking: ChatRequest["thinking"]): { type: string; budgetTokens?: number } | undefined {
  return thinking?.type === "enabled" ? { type: "enabled", budgetTokens: thinking.budget_tokens } : thinking;
}
