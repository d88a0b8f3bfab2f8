import { expect, test } from "vitest";
import { makeModelTable } from "#gateway/models.ts";
import { estimateCost } from "#gateway/spend/estimate-cost.ts";
import { toHold } from "#gateway/spend/reserve-budget.ts";
import { parseConfig } from "#lib/config.ts";
import type { Json, JsonObject } from "#logging/record.ts";

function deployment(info = "") {
  const params = "model: openai/some-own-model, api_base: 'http://x/v1', output_cost_per_token: 1";
  const text = `model_list:\n  - model_name: m\n    litellm_params: {${params}}\n    model_info: {${info}}\n`;
  return makeModelTable(parseConfig(text, "config.yaml", {}).config).get("m")?.[0] ?? null;
}

/** Output tokens, as each costs a dollar. */
const tokensOf = (body: JsonObject, info?: string): number => estimateCost("chat", body, deployment(info)).usd;

test.each<[JsonObject, number]>([
  [{}, 500],
  [{ max_tokens: 20 }, 20],
  [{ max_tokens: "20" }, 20],
  [{ max_completion_tokens: 1, max_tokens: 20 }, 20],
  [{ max_tokens: 20, n: 3 }, 60],
  [{ max_tokens: 20, best_of: 4, n: 2 }, 80],
  [{ max_tokens: 20, thinking: { budget_tokens: 10 } }, 30],
  [{ max_tokens: 1e15 }, 1_000],
  [{ max_output_tokens: 1e300, n: 1e300 }, 128_000],
])("an answer to %j is taken to have %i tokens at a model with 1,000", (body, tokens) => {
  expect(tokensOf(body, "max_output_tokens: 1000")).toBe(tokens);
});

test.each<[JsonObject, boolean]>([
  [{ messages: "hi" }, false],
  [{ messages: "hi", max_tokens: 1 }, true],
  [{ messages: "hi", n: 1e9 }, true],
  [{ messages: "word ".repeat(10_000) }, true],
])("case %# says itself what it may cost: %s", (body, isBound) => {
  const params = "model: openai/own, api_base: 'http://x/v1', input_cost_per_token: 1, output_cost_per_token: 1";
  const text = `model_list:\n  - model_name: m\n    litellm_params: {${params}}\n`;
  const own = makeModelTable(parseConfig(text, "config.yaml", {}).config).get("m")?.[0] ?? null;
  expect(estimateCost("chat", body, own).isBound).toBe(isBound);
});

test("without a known limit an answer is taken to have 16,384 tokens at most", () => {
  expect(tokensOf({ max_tokens: 1e15 })).toBe(16_384);
  expect(tokensOf({ max_tokens: 1e15 }, "max_tokens: nonsense")).toBe(16_384);
});

test("an estimate is finite and not negative, whatever stands where numbers belong", () => {
  const odd: Json[] = [-1, 0, 1e308, Infinity, -Infinity, Number.NaN, "", "x", "1e999", [], [1], {}, null, true];
  const names = [
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "n",
    "best_of",
    "thinking",
    "input",
    "file",
  ];
  for (const operation of ["chat", "image", "transcription", "speech", "embedding", "rerank", "responses"] as const) {
    for (const name of names) {
      for (const value of odd) {
        const { usd } = estimateCost(operation, { [name]: value, thinking: { budget_tokens: value } }, deployment());
        expect(Number.isFinite(usd) && usd >= 0, `${operation} ${name} ${String(value)}`).toBe(true);
      }
    }
  }
});

test("one client's large calls, many at once, always leave room for a small one", () => {
  let taken = 0.3;
  for (let call = 0; call < 50; call += 1) taken += toHold({ usd: 33, isBound: true }, { taken, maxBudget: 20 }) ?? 0;
  expect(taken).toBeLessThan(11);
  expect(toHold({ usd: 1, isBound: true }, { taken, maxBudget: 20 })).toBe(1);
});

test("a budget is held for what fits, refused for much more, and never taken whole by one call", () => {
  expect(toHold({ usd: 3 }, { taken: 2, maxBudget: 10 })).toBe(3);
  expect(toHold({ usd: 8, isBound: true }, { taken: 2, maxBudget: 10 })).toBe(8);
  expect(toHold({ usd: 9, isBound: true }, { taken: 2, maxBudget: 10 })).toBe(4);
  expect(toHold({ usd: 17, isBound: true }, { taken: 2, maxBudget: 10 })).toBeNull();
  expect(toHold({ usd: 17 }, { taken: 2, maxBudget: 10 })).toBe(17);
  expect(toHold({ usd: 17, isBound: true }, { taken: 0, maxBudget: 10 })).toBe(5);
  expect(toHold({ usd: 0 }, { taken: 10, maxBudget: 10 })).toBeNull();
  expect(toHold({ usd: 0 }, { taken: 0, maxBudget: 0 })).toBeNull();
});
