import { anthropic } from "#gateway/providers/anthropic.ts";
import { mock } from "#gateway/providers/mock.ts";
import { openai } from "#gateway/providers/openai.ts";
import type { Provider } from "#gateway/providers/provider.ts";

/** Every provider by the prefix of `litellm_params.model`. */
const providers: Readonly<Record<string, Provider>> = {
  openai,
  hosted_vllm: { ...openai, name: "hosted_vllm", apiBase: null },
  openai_like: { ...openai, name: "openai_like", apiBase: null },
  anthropic,
  mock,
};

/** The known prefixes. */
export const providerNames: readonly string[] = Object.keys(providers);

/** The provider of a prefix; null where there is none. */
export function findProvider(name: string): Provider | null {
  return Object.hasOwn(providers, name) ? (providers[name] ?? null) : null;
}
