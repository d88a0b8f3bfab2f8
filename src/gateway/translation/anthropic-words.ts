import type { SharedV4ProviderOptions } from "@ai-sdk/provider";
import type { ChatRequest } from "#gateway/translation/chat-request.ts";
import type { VendorWords } from "#gateway/translation/chat-options.ts";
import { withoutUndefined } from "#lib/without-undefined.ts";

/** How Claude is spoken to. `vendor` is the word for it in refusals. */
export function anthropicWords(vendor: string): VendorWords {
  return {
    vendor,
    defaults: { temperature: 1, top_p: 1 },
    refused: [],
    cachesTools: true,
    cacheOptions: (ttl) => ({
      anthropic: { cacheControl: { type: "ephemeral", ...(ttl === undefined ? {} : { ttl }) } },
    }),
    thoughtOptions(thought) {
      if (thought.type === "redacted_thinking") return { anthropic: { redactedData: thought.data } };
      return thought.signature ? { anthropic: { signature: thought.signature } } : null;
    },
    // https://docs.claude.com/en/docs/build-with-claude/vision: "image URLs", and the same for PDF files.
    fetches: ({ protocol }) => protocol === "https:" || protocol === "http:",
    options,
  };
}

function options(request: ChatRequest): SharedV4ProviderOptions {
  const { thinking, parallel_tool_calls: parallel, user, response_format: format } = request;
  return {
    anthropic: withoutUndefined({
      thinking: toThinking(thinking),
      disableParallelToolUse: parallel === false ? true : undefined,
      metadata: user === undefined ? undefined : { userId: user },
      // A schema that allows anything is no schema for structured outputs, but it is one for a tool.
      structuredOutputMode: format?.type === "json_object" ? "jsonTool" : undefined,
    }),
  };
}

function toThinking(thinking: ChatRequest["thinking"]): { type: string; budgetTokens?: number } | undefined {
  return thinking?.type === "enabled" ? { type: "enabled", budgetTokens: thinking.budget_tokens } : thinking;
}
