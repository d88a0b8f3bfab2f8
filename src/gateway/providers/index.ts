import { anthropic } from "#gateway/providers/anthropic.ts";
import { azure } from "#gateway/providers/azure.ts";
import { bedrock } from "#gateway/providers/bedrock.ts";
import { mistral } from "#gateway/providers/mistral.ts";
import { mock } from "#gateway/providers/mock.ts";
import { openai, openaiCompatible } from "#gateway/providers/openai.ts";
import { vertex } from "#gateway/providers/vertex.ts";
import type { Provider } from "#gateway/providers/provider.ts";

/** Every provider by the prefix of `litellm_params.model`. */
const providers: Readonly<Record<string, Provider>> = {
  openai,
  azure,
  anthropic,
  bedrock,
  cerebras: openaiCompatible("cerebras", "https://api.cerebras.ai/v1", "CerebrasException"),
  deepinfra: openaiCompatible("deepinfra", "https://api.deepinfra.com/v1/openai", "DeepinfraException"),
  deepseek: openaiCompatible("deepseek", "https://api.deepseek.com/v1", "DeepseekException"),
  fireworks_ai: openaiCompatible("fireworks_ai", "https://api.fireworks.ai/inference/v1", "Fireworks_aiException"),
  // Google's own endpoint in OpenAI's form.
  gemini: openaiCompatible("gemini", "https://generativelanguage.googleapis.com/v1beta/openai", "GeminiException"),
  groq: openaiCompatible("groq", "https://api.groq.com/openai/v1", "GroqException"),
  hosted_vllm: openaiCompatible("hosted_vllm", null, "Hosted_vllmException"),
  lm_studio: openaiCompatible("lm_studio", "http://127.0.0.1:1234/v1", "Lm_studioException"),
  mistral,
  ollama: openaiCompatible("ollama", "http://127.0.0.1:11434/v1", "OllamaException"),
  ollama_chat: openaiCompatible("ollama_chat", "http://127.0.0.1:11434/v1", "OllamaException"),
  openai_like: openaiCompatible("openai_like", null, "Openai_likeException"),
  openrouter: openaiCompatible("openrouter", "https://openrouter.ai/api/v1", "OpenrouterException"),
  perplexity: openaiCompatible("perplexity", "https://api.perplexity.ai", "PerplexityException"),
  together_ai: openaiCompatible("together_ai", "https://api.together.xyz/v1", "Together_aiException"),
  vertex_ai: vertex,
  xai: openaiCompatible("xai", "https://api.x.ai/v1", "XaiException"),
  mock,
};

/** The known prefixes. */
export const providerNames: readonly string[] = Object.keys(providers);

/** The provider of a prefix, for one model where its models differ; null where there is none. */
export function findProvider(name: string, model?: string): Provider | null {
  const found = Object.hasOwn(providers, name) ? (providers[name] ?? null) : null;
  return model === undefined ? found : (found?.ofModel?.(model) ?? found);
}
