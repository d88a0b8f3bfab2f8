import { expect, test } from "vitest";
import { costOf } from "#gateway/call-cost.ts";
import { findGroup } from "#gateway/choose-deployment.ts";
import { makeModelTable, modelsState, type Deployment } from "#gateway/models.ts";
import { strangerCaller } from "#keys/caller.ts";
import { configState, parseConfig } from "#lib/config.ts";
import { noUsage } from "#logging/record.ts";

const usage = { ...noUsage, promptTokens: 1_000, completionTokens: 100, totalTokens: 1_100, cacheReadTokens: 400 };

function deployment(params: string, { info = "", name = "m" }: { info?: string; name?: string } = {}): Deployment {
  const text = `model_list:\n  - model_name: "${name}"\n    litellm_params: {${params}}\n    model_info: {${info}}\n`;
  const { config } = parseConfig(text, "config.yaml", {});
  configState.set(config);
  modelsState.set(makeModelTable(config, () => ""));
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

test("what has no tokens or no deployment costs nothing", () => {
  expect(costOf(noUsage, deployment("model: openai/gpt-4o"))).toBe(0);
  expect(costOf(usage, null)).toBe(0);
});
