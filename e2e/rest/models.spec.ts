import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { makeKey, mustAdmin } from "./admin.ts";
import { ask, request } from "./ask.ts";

/** Models that cannot be called, beside one that can. */
const others = [
  { model_name: "of-cohere", litellm_params: { model: "command-r-plus", api_key: "key-of-cohere" } },
  { model_name: "of-anthropic", litellm_params: { model: "openai/claude-2.1", api_key: "key-of-anthropic" } },
  { model_name: "foreign", litellm_params: { model: "openai/gpt-4o", api_key: "os.environ/ANTHROPIC_API_KEY" } },
  { model_name: "unset", litellm_params: { model: "openai/own", api_key: "k", api_base: "os.environ/NOT_SET" } },
  { model_name: "typed", litellm_params: { model: "openai/own", rpm: "many" } },
  { model_name: "nobody", litellm_params: { model: "foo/bar", api_key: "k" } },
];
const env = { ANTHROPIC_API_KEY: "key-of-anthropic" };

test("a model that cannot be called is a warning, a 400 with its reason, and stops no other model", async ({
  startSluice,
  fakes,
}) => {
  const sluice = await startSluice({ config: fakeModelConfig(fakes, others), env });
  const key = await makeKey(sluice, {});
  expect((await ask(sluice, key, { content: "good" })).status).toBe(200);
  for (const { model_name: model } of others) {
    const { status, text } = await ask(sluice, key, { content: "bad", model });
    expect(status, model).toBe(400);
    expect(text, model).toContain(`The model ${model} cannot be called: `);
    expect(sluice.logs(), model).toMatch(new RegExp(`config\\.yaml:\\d+: model_list: \\\\"${model}\\\\"`));
  }
  const { unusable_models: unusable } = await mustAdmin(sluice, "/health/readiness/details");
  expect(unusable).toHaveLength(others.length);
  const { body } = await request(sluice, "/v1/models", { key });
  expect(JSON.stringify(body)).not.toContain("of-cohere");
  expect(JSON.stringify(unusable) + sluice.logs()).not.toContain("key-of");
});

test("with strict_models such a model stops the start, and every one is named", async ({ startSluice, fakes }) => {
  const config = { ...fakeModelConfig(fakes, others), general_settings: { strict_models: true } };
  const started = startSluice({ config, env });
  await expect(started).rejects.toThrow(/Sluice cannot start/);
  const message = await started.catch(String);
  for (const { model_name: name } of others) expect(String(message)).toContain(`"${name}" cannot be called`);
});
