import { expect, test } from "vitest";
import { noUnits, type BilledUnits } from "#gateway/billed-units.ts";
import { costOf } from "#gateway/call-cost.ts";
import { findGroup } from "#gateway/choose-deployment.ts";
import { makeModelTable, modelsState, type Deployment } from "#gateway/models.ts";
import { strangerCaller } from "#keys/caller.ts";
import { configState, parseConfig } from "#lib/config.ts";
import { noUsage, type RecordUsage } from "#logging/record.ts";

const usage = { ...noUsage, promptTokens: 1_000, completionTokens: 100, totalTokens: 1_100, cacheReadTokens: 400 };

function deployment(params: string, { info = "", name = "m" }: { info?: string; name?: string } = {}): Deployment {
  const text = `model_list:\n  - model_name: "${name}"\n    litellm_params: {${params}}\n    model_info: {${info}}\n`;
  const { config } = parseConfig(text, "config.yaml", {});
  configState.set(config);
  modelsState.set(makeModelTable(config));
  const [only] = findGroup(strangerCaller, name.replace("*", "gpt-4o"));
  if (!only) throw new Error("There is one deployment.");
  return only;
}

test.each<[string, number, { info?: string; name?: string }?]>([
  ["model: openai/gpt-4o, input_cost_per_token: 0.001, output_cost_per_token: 0.01", 2],
  ["model: openai/x, input_cost_per_token: 0.001, cache_read_input_token_cost: 0.0001", 0.64],
  ["model: openai/x", 2, { info: "input_cost_per_token: 0.001, output_cost_per_token: 0.01" }],
  ["model: openai/gpt-4o, input_cost_per_token: 0, output_cost_per_token: 0", 0],
  ["model: openai/gpt-4o", 0.003],
  ["model: azure/our-name, api_base: 'http://x'", 0.003, { info: "base_model: gpt-4o" }],
  ["model: openai/*", 0.003, { name: "*" }],
  ["model: openai/no-such-model", 0],
  ["model: hosted_vllm/gpt-4o, api_base: 'http://x'", 0],
])("{%s} costs %d", (params, cost, more) => {
  const priced = deployment(params, more);
  expect(costOf(usage, priced)).toBe(cost);
  expect(costOf(usage, priced)).toBe(cost);
});

const mixed: Partial<RecordUsage> = {
  ...{ promptTokens: 100, completionTokens: 50, totalTokens: 150, cacheReadTokens: 10, reasoningTokens: 5 },
  ...{ inputAudioTokens: 40, outputAudioTokens: 20, inputImageTokens: 30, outputImageTokens: 10 },
};

test.each<[string, Partial<RecordUsage & BilledUnits>, number]>([
  ["input_cost_per_token: 1, output_cost_per_token: 10", mixed, 600],
  ["input_cost_per_token: 1, input_cost_per_audio_token: 2, output_cost_per_audio_token: 3", mixed, 200],
  ["input_cost_per_token: 1, input_cost_per_image_token: 2, output_cost_per_image_token: 3", mixed, 160],
  ["output_cost_per_token: 10, output_cost_per_reasoning_token: 1", mixed, 455],
  ["output_cost_per_image: 0.04", { images: 2 }, 0.08],
  ["input_cost_per_image: 0.04", { ...mixed, images: 2 }, 0.08],
  ["input_cost_per_second: 0.0001, output_cost_per_second: 0.0001", { audioSeconds: 30, callSeconds: null }, 0.003],
  ["input_cost_per_second: 0.0001, output_cost_per_second: 0.0002", { callSeconds: 10 }, 0.003],
  ["input_cost_per_second: 5, input_cost_per_token: 1", { ...mixed, callSeconds: 10 }, 100],
  ["input_cost_per_character: 0.00001", { characters: 12 }, 0.00012],
  ["input_cost_per_query: 0.002", { queries: 3 }, 0.006],
])("with {%s} a call of %j costs %d", (prices, counts, cost) => {
  const priced = deployment(`model: openai/gpt-4o, ${prices}`);
  expect(costOf({ ...noUsage, ...counts }, priced, { ...noUnits, ...counts })).toBe(cost);
});

test.each<[string, Partial<RecordUsage & BilledUnits>, number]>([
  ["openai/whisper-1", { audioSeconds: 60 }, 0.006],
  ["groq/whisper-large-v3-turbo", { audioSeconds: 3_600 }, 0.04],
  [
    "openai/gpt-4o-mini-transcribe",
    { promptTokens: 1_000_000, totalTokens: 1_000_000, inputAudioTokens: 1_000_000 },
    3,
  ],
  ["openai/gpt-image-1", { promptTokens: 2_000_000, totalTokens: 2_000_000, inputImageTokens: 1_000_000 }, 15],
  ["openai/gpt-image-1", { promptTokens: 10, totalTokens: 10, inputImageTokens: 99 }, 0.0001],
  [
    "gemini/gemini-2.5-flash",
    {
      ...{ promptTokens: 1_000_000, completionTokens: 10, totalTokens: 1_000_010 },
      ...{ cacheReadTokens: 500_000, inputAudioTokens: 600_000, outputAudioTokens: 99 },
    },
    0.515025,
  ],
  ["openai/gpt-4o", { images: 3 }, 0],
])("the price list has %s with %j at %d", (model, counts, cost) => {
  expect(costOf({ ...noUsage, ...counts }, deployment(`model: ${model}`), { ...noUnits, ...counts })).toBe(cost);
});

test("prices of any name stay with the gateway", () => {
  const { defaults } = deployment("model: openai/x, input_cost_per_token_above_128k_tokens: 1, temperature: 0.5");
  expect(defaults).toEqual({ temperature: 0.5 });
});

test("what has no tokens or no deployment costs nothing", () => {
  expect(costOf(noUsage, deployment("model: openai/gpt-4o"))).toBe(0);
  expect(costOf(usage, null)).toBe(0);
});

test("no call costs less than nothing, whatever kinds of tokens its upstream counts", () => {
  const priced = deployment("model: openai/x, input_cost_per_token: 0.001, output_cost_per_token: 0.01");
  const odd = { ...noUsage, promptTokens: 1, totalTokens: 2, completionTokens: 1, cacheReadTokens: 10 };
  expect(costOf(odd, { ...priced, prices: priced.prices && { ...priced.prices, cacheReadToken: 0 } })).toBe(0.01);
  expect(costOf({ ...odd, cacheReadTokens: 0, reasoningTokens: 3 }, priced)).toBe(0.031);
});
