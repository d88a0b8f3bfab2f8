import { calcPrice, type Provider } from "@pydantic/genai-prices";
import type { Deployment } from "#gateway/models.ts";
import type { RecordUsage } from "#logging/record.ts";

/** USD a token as config.yaml gives them; null where it says nothing. */
export type TokenPrices = {
  input: number | null;
  output: number | null;
  cacheRead: number | null;
  cacheWrite: number | null;
};

/** What `@pydantic/genai-prices` calls our providers. Others are servers of one's own, whose calls cost what config says. */
const priceLists: Readonly<Record<string, string>> = {
  anthropic: "anthropic",
  azure: "azure",
  bedrock: "aws",
  cerebras: "cerebras",
  deepseek: "deepseek",
  fireworks_ai: "fireworks",
  gemini: "google",
  groq: "groq",
  mistral: "mistral",
  openai: "openai",
  openrouter: "openrouter",
  perplexity: "perplexity",
  together_ai: "together",
  vertex_ai: "google",
  xai: "x-ai",
};

/** The list entry of each priced model, found once; null where there is none. */
const entries = new Map<string, Provider | null>();

/**
 * What a call costs in USD, to a millionth of a millionth: by the prices that config.yaml gives its deployment, else by
 * those of the price list that the installed package brings. 0 where neither knows the model.
 */
export function costOf(usage: RecordUsage, deployment: Deployment | null): number {
  if (!deployment || usage.totalTokens === 0) return 0;
  const { prices } = deployment;
  const isPriced = prices.input !== null || prices.output !== null;
  const cost = isPriced ? costByConfig(usage, prices) : costByList(usage, deployment);
  return Number(cost.toFixed(12));
}

function costByConfig(usage: RecordUsage, { input, output, cacheRead, cacheWrite }: TokenPrices): number {
  const price = input ?? 0;
  const plain = usage.promptTokens - usage.cacheReadTokens - usage.cacheWriteTokens;
  return (
    plain * price +
    usage.cacheReadTokens * (cacheRead ?? price) +
    usage.cacheWriteTokens * (cacheWrite ?? price) +
    usage.completionTokens * (output ?? 0)
  );
}

function costByList(usage: RecordUsage, { provider, priceModel }: Deployment): number {
  const providerId = Object.hasOwn(priceLists, provider) ? priceLists[provider] : undefined;
  if (providerId === undefined) return 0;
  const key = `${providerId} ${priceModel}`;
  const known = entries.get(key);
  if (known === null) return 0;
  const counts = {
    input_tokens: usage.promptTokens,
    cache_read_tokens: Math.min(usage.cacheReadTokens, usage.promptTokens),
    cache_write_tokens: Math.min(usage.cacheWriteTokens, usage.promptTokens - usage.cacheReadTokens),
    output_tokens: usage.completionTokens,
  };
  const found = known
    ? calcPrice(counts, priceModel, { provider: known })
    : calcPrice(counts, priceModel, { providerId });
  // Searching the whole list takes longer than the call's own work.
  if (known === undefined && entries.size < entriesMax)
    entries.set(key, found ? { ...found.provider, models: [found.model] } : null);
  return found?.total_price ?? 0;
}

/** Wildcards take any name, so the number of models has no bound of its own. */
const entriesMax = 1_000;
