import type { ModelConfig } from "#lib/config.ts";

/** LiteLLM's names of prices in config.yaml, in USD, by what they are called here. */
const priceNames = {
  inputToken: "input_cost_per_token",
  outputToken: "output_cost_per_token",
  cacheReadToken: "cache_read_input_token_cost",
  cacheWriteToken: "cache_creation_input_token_cost",
  reasoningToken: "output_cost_per_reasoning_token",
  inputAudioToken: "input_cost_per_audio_token",
  outputAudioToken: "output_cost_per_audio_token",
  inputImageToken: "input_cost_per_image_token",
  outputImageToken: "output_cost_per_image_token",
  inputImage: "input_cost_per_image",
  outputImage: "output_cost_per_image",
  inputSecond: "input_cost_per_second",
  outputSecond: "output_cost_per_second",
  inputCharacter: "input_cost_per_character",
  inputQuery: "input_cost_per_query",
} as const;

/** USD a unit as config.yaml gives them; null where it says nothing. */
export type Prices = Readonly<Record<keyof typeof priceNames, number | null>>;

/** They only refine the price of tokens, so they say nothing alone. */
const refining = ["cacheReadToken", "cacheWriteToken", "reasoningToken"];

/** The prices of a deployment, of `litellm_params` before `model_info`; null where config.yaml has none for it. */
export function readPrices({ litellm_params: params, model_info: info }: ModelConfig): Prices | null {
  const read = (name: keyof typeof priceNames): number | null =>
    params[priceNames[name]] ?? info[priceNames[name]] ?? null;
  const prices: Prices = {
    inputToken: read("inputToken"),
    outputToken: read("outputToken"),
    cacheReadToken: read("cacheReadToken"),
    cacheWriteToken: read("cacheWriteToken"),
    reasoningToken: read("reasoningToken"),
    inputAudioToken: read("inputAudioToken"),
    outputAudioToken: read("outputAudioToken"),
    inputImageToken: read("inputImageToken"),
    outputImageToken: read("outputImageToken"),
    inputImage: read("inputImage"),
    outputImage: read("outputImage"),
    inputSecond: read("inputSecond"),
    outputSecond: read("outputSecond"),
    inputCharacter: read("inputCharacter"),
    inputQuery: read("inputQuery"),
  };
  const says = Object.entries(prices).some(([name, price]) => price !== null && !refining.includes(name));
  return says ? prices : null;
}
