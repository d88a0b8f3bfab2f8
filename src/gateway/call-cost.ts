import { calcPrice, type Provider } from "@pydantic/genai-prices";
import { noUnits, type BilledUnits } from "#gateway/billed-units.ts";
import type { Deployment } from "#gateway/models.ts";
import type { Prices } from "#gateway/prices.ts";
import { noUsage, type RecordUsage } from "#logging/record.ts";

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
export function costOf(usage: RecordUsage, deployment: Deployment | null, units: BilledUnits = noUnits): number {
  if (!deployment) return 0;
  const { prices } = deployment;
  const cost = prices === null ? costByList(usage, units, deployment) : costByConfig(usage, units, prices);
  return Number(cost.toFixed(12));
}

/** As LiteLLM reads them: a picture or a second of sound has one price, whichever of the two is given. */
function costByConfig(usage: RecordUsage, units: BilledUnits, prices: Prices): number {
  const { images, audioSeconds, characters, queries, callSeconds } = units;
  const hasTokenPrice = prices.inputToken !== null || prices.outputToken !== null;
  const perCallSecond = hasTokenPrice ? 0 : (prices.inputSecond ?? 0) + (prices.outputSecond ?? 0);
  return (
    costOfTokens(usage, prices) +
    images * (prices.outputImage ?? prices.inputImage ?? 0) +
    audioSeconds * (prices.outputSecond ?? prices.inputSecond ?? 0) +
    characters * (prices.inputCharacter ?? 0) +
    queries * (prices.inputQuery ?? 0) +
    (callSeconds ?? 0) * perCallSecond
  );
}

/** Kinds of tokens without a price of their own cost what tokens cost. */
function costOfTokens(usage: RecordUsage, prices: Prices): number {
  const input = prices.inputToken ?? 0;
  const output = prices.outputToken ?? 0;
  const { cacheReadTokens, cacheWriteTokens, reasoningTokens } = usage;
  const { inputAudioTokens = 0, outputAudioTokens = 0, inputImageTokens = 0, outputImageTokens = 0 } = usage;
  // Some upstreams name more tokens of a kind than they name in all.
  const plainInput = usage.promptTokens - cacheReadTokens - cacheWriteTokens - inputAudioTokens - inputImageTokens;
  const plainOutput = usage.completionTokens - reasoningTokens - outputAudioTokens - outputImageTokens;
  return (
    Math.max(0, plainInput) * input +
    cacheReadTokens * (prices.cacheReadToken ?? input) +
    cacheWriteTokens * (prices.cacheWriteToken ?? input) +
    inputAudioTokens * (prices.inputAudioToken ?? input) +
    inputImageTokens * (prices.inputImageToken ?? input) +
    Math.max(0, plainOutput) * output +
    reasoningTokens * (prices.reasoningToken ?? output) +
    outputAudioTokens * (prices.outputAudioToken ?? output) +
    outputImageTokens * (prices.outputImageToken ?? output)
  );
}

function costByList(usage: RecordUsage, units: BilledUnits, { provider, priceModel }: Deployment): number {
  if (usage.totalTokens + units.audioSeconds + units.characters + units.queries === 0) return 0;
  const providerId = findPriceList(provider);
  if (providerId === undefined) return 0;
  const key = `${providerId} ${priceModel}`;
  const known = entries.get(key);
  if (known === null) return 0;
  const counts = toListCounts(usage, units);
  const found = known
    ? calcPrice(counts, priceModel, { provider: known })
    : calcPrice(counts, priceModel, { providerId });
  // Searching the whole list takes longer than the call's own work.
  if (known === undefined && entries.size < entriesMax)
    entries.set(key, found ? { ...found.provider, models: [found.model] } : null);
  return found?.total_price ?? 0;
}

function findPriceList(provider: string): string | undefined {
  return Object.hasOwn(priceLists, provider) ? priceLists[provider] : undefined;
}

/** How many tokens prompt and answer of a model have at most, by the price list; null if it does not know. */
export function findContextWindow(deployment: Deployment): number | null {
  const { provider, priceModel } = deployment;
  const providerId = findPriceList(provider);
  if (providerId === undefined) return null;
  const key = `${providerId} ${priceModel}`;
  if (!entries.has(key)) costOf({ ...noUsage, promptTokens: 1, totalTokens: 1 }, { ...deployment, prices: null });
  return entries.get(key)?.models[0]?.context_window ?? null;
}

/** The counts under the list's names. It refuses parts that are more than the whole, and overlaps that it is not told. */
function toListCounts(usage: RecordUsage, { audioSeconds, characters, queries }: BilledUnits): Record<string, number> {
  const { promptTokens, completionTokens, inputAudioTokens, inputImageTokens } = usage;
  const { outputAudioTokens, outputImageTokens } = usage;
  const cacheRead = Math.min(usage.cacheReadTokens, promptTokens);
  const cacheWrite = Math.min(usage.cacheWriteTokens, promptTokens - cacheRead);
  const counts: Record<string, number> = {
    input_tokens: promptTokens,
    cache_read_tokens: cacheRead,
    cache_write_tokens: cacheWrite,
    output_tokens: completionTokens,
  };
  let inputLeft = promptTokens - cacheRead - cacheWrite;
  let outputLeft = completionTokens;
  if (inputAudioTokens !== undefined) {
    const audio = Math.min(inputAudioTokens, inputLeft);
    inputLeft -= audio;
    Object.assign(counts, { input_audio_tokens: audio, cache_audio_read_tokens: 0, cache_audio_write_tokens: 0 });
  }
  if (inputImageTokens !== undefined) {
    const image = Math.min(inputImageTokens, inputLeft);
    Object.assign(counts, { input_image_tokens: image, cache_image_read_tokens: 0, cache_image_write_tokens: 0 });
  }
  if (outputAudioTokens !== undefined) {
    counts.output_audio_tokens = Math.min(outputAudioTokens, outputLeft);
    outputLeft -= counts.output_audio_tokens;
  }
  if (outputImageTokens !== undefined) counts.output_image_tokens = Math.min(outputImageTokens, outputLeft);
  if (audioSeconds > 0) Object.assign(counts, { audio_seconds: audioSeconds, input_audio_seconds: audioSeconds });
  if (characters > 0) counts.input_characters = characters;
  if (queries > 0) counts.rerank_searches = queries;
  return counts;
}

/** Wildcards take any name, so the number of models has no bound of its own. */
const entriesMax = 1_000;
