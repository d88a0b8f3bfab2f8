import type { LanguageModelV4 } from "@ai-sdk/provider";
import { anthropicWords } from "#gateway/translation/anthropic-words.ts";
import type { ProviderFetch } from "#gateway/translation/provider-fetch.ts";
import { translateChat } from "#gateway/translation/translate-chat.ts";
import { sendJson } from "#gateway/providers/openai.ts";
import type { Provider, ProviderAnswer, ProviderCall } from "#gateway/providers/provider.ts";

/** The version of the API whose answers the gateway reads; a client may name another. */
const versionDefault = "2023-06-01";

/** Anthropic's own API: `/v1/messages` passes through as it is, chats of OpenAI's wire are translated. */
export const anthropic: Provider = {
  name: "anthropic",
  apiBase: "https://api.anthropic.com",
  exceptionName: "AnthropicException",
  translates: true,
  takes: ({ name }) => name === "messages" || name === "chat",
  async send(call) {
    const { deployment, headers, operation } = call;
    if (operation.name === "chat") {
      return withRateLimits(await translateChat(call, { words: anthropicWords("anthropic"), makeModel }));
    }
    const beta = headers.get("anthropic-beta");
    return sendJson(`${withoutVersion(deployment.apiBase ?? "")}/v1/messages`, call, {
      "anthropic-version": headers.get("anthropic-version") ?? versionDefault,
      ...(beta === null ? {} : { "anthropic-beta": beta }),
      ...(deployment.apiKey === null ? {} : { "x-api-key": deployment.apiKey }),
    });
  },
};

async function makeModel(
  { deployment: { apiBase, apiKey, upstreamModel }, headers }: ProviderCall,
  fetch: ProviderFetch,
): Promise<LanguageModelV4> {
  const { createAnthropic } = await import("@ai-sdk/anthropic");
  const beta = headers.get("anthropic-beta");
  const provider = createAnthropic({
    baseURL: `${withoutVersion(apiBase ?? "")}/v1`,
    // A text keeps the library from looking into the environment.
    apiKey: apiKey ?? "",
    fetch,
    ...(beta === null ? {} : { headers: { "anthropic-beta": beta } }),
  });
  return provider(upstreamModel);
}

/** An API base is written with and without the version's path. */
function withoutVersion(apiBase: string): string {
  return apiBase.replace(/\/v1$/, "");
}

/** OpenAI's clients look for rate limits under OpenAI's names. https://docs.anthropic.com/en/api/rate-limits */
function withRateLimits(answer: ProviderAnswer): ProviderAnswer {
  const headers: Record<string, string> = { ...answer.headers };
  for (const kind of ["requests", "tokens"]) {
    for (const what of ["limit", "remaining"]) {
      const value = answer.headers[`anthropic-ratelimit-${kind}-${what}`];
      if (value !== undefined) headers[`x-ratelimit-${what}-${kind}`] = value;
    }
  }
  return { ...answer, headers };
}
