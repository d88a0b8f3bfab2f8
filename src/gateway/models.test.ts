import { expect, test } from "vitest";
import { findGroup } from "#gateway/choose-deployment.ts";
import { makeModelTable, modelsState } from "#gateway/models.ts";
import { strangerCaller } from "#keys/caller.ts";
import { configState, parseConfig } from "#lib/config.ts";

configState.set(parseConfig("{}", "config.yaml", {}).config);

function table(params: string) {
  const text = `model_list:\n  - model_name: m\n    litellm_params: {${params}}\n`;
  return makeModelTable(parseConfig(text, "config.yaml", {}).config);
}

test.each([
  ["model: openai/gpt-4o", "openai", "gpt-4o", "https://api.openai.com/v1"],
  ["model: gpt-4o", "openai", "gpt-4o", "https://api.openai.com/v1"],
  ["model: openai/org/name, api_base: 'http://x/v1/'", "openai", "org/name", "http://x/v1"],
  ["model: org/name, custom_llm_provider: openai, api_base: 'http://x/v1'", "openai", "org/name", "http://x/v1"],
  ["model: openai/name, custom_llm_provider: openai", "openai", "name", "https://api.openai.com/v1"],
  ["model: any/thing, mock_response: hi", "mock", "thing", null],
])("{%s}", (...[params, provider, upstreamModel, apiBase]) => {
  expect(table(params).get("m")).toMatchObject([{ provider, upstreamModel, apiBase }]);
});

test("an entry that cannot work is unusable, with place and reason, and the others work", () => {
  const text = `
model_list:
  - { model_name: good, litellm_params: { model: openai/x } }
  - { model_name: unknown, litellm_params: { model: nobody/x } }
  - { model_name: lost, litellm_params: { model: hosted_vllm/x } }
  - { model_name: typed, litellm_params: { model: openai/x, rpm: many } }
  - { model_name: empty }
  - just a text
`;
  const made = makeModelTable(parseConfig(text, "config.yaml", {}).config);
  expect([...made.keys()]).toEqual(["good"]);
  expect(made.unusable.map(({ modelName, place }) => `${place} ${modelName}`)).toEqual([
    "config.yaml:6 typed",
    "config.yaml:7 empty",
    "config.yaml:8 ",
    "config.yaml:4 unknown",
    "config.yaml:5 lost",
  ]);
  const reasons = [/^litellm_params\.rpm: expected/, /litellm_params/, /./, /the provider "nobody"/, /has no address/];
  for (const [index, reason] of reasons.entries()) expect(made.unusable[index]?.reason).toMatch(reason);
  modelsState.set(made);
  expect(() => findGroup(strangerCaller, "unknown")).toThrow(/The model unknown cannot be called: .*Fix: use one of/);
  expect(() => findGroup(strangerCaller, "typed")).toThrow(/cannot be called/);
  expect(() => findGroup(strangerCaller, "nothing")).toThrow(/Invalid model name/);
  const strict = `${text}general_settings: { strict_models: true }`;
  expect(() => makeModelTable(parseConfig(strict, "config.yaml", {}).config)).toThrow(
    /config\.yaml:4.*\n.*config\.yaml:5/,
  );
});

test("defaults hold parameters of the upstream alone", () => {
  const [deployment] =
    table(
      "model: openai/x, temperature: 1, api_key: k, aws_secret_access_key: canary, tags: [a], drop_params: true",
    ).get("m") ?? [];
  expect(deployment?.defaults).toEqual({ temperature: 1 });
});

test("a model called like a built-in property is unknown, not an error of ours", () => {
  modelsState.set(table("model: openai/x"));
  const caller = { ...strangerCaller, keyModels: ["x/*", "constructor"] };
  for (const name of ["constructor", "__proto__", "toString"]) {
    expect(() => findGroup({ ...caller, keyModels: [] }, name)).toThrow(/Invalid model name passed/);
  }
  expect(() => findGroup(caller, "constructor")).toThrow(/Invalid model name passed/);
});

test("aliases, wildcards and refusals of key and team", () => {
  modelsState.set(table("model: openai/x"));
  expect(findGroup({ ...strangerCaller, modelAliases: { a: "m" }, keyModels: ["a"] }, "a")[0]?.upstreamModel).toBe("x");
  expect(() => findGroup({ ...strangerCaller, keyModels: ["other"] }, "m")).toThrow(/key not allowed to access model/);
  expect(() => findGroup({ ...strangerCaller, teamModels: ["other"] }, "m")).toThrow(/team not allowed/);
});
