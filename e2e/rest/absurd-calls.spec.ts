import { startFakeOpenai } from "../fakes/openai.ts";
import { startFakeWebhook } from "../fakes/webhook.ts";
import { expect, test } from "../fixtures.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { makeKey, mustAdmin, until } from "./admin.ts";

const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const user = [{ role: "user", content: "hi" }];

type Answer = { status: number; text: string };

async function post(
  sluice: SluiceProcess,
  key: string,
  { path = "/v1/chat/completions", ...request }: { path?: string; body: string | FormData; headers?: object },
): Promise<Answer> {
  const { body, headers = {} } = request;
  const type = typeof body === "string" ? { "content-type": "application/json" } : {};
  const all = { authorization: `Bearer ${key}`, ...type, ...headers };
  const answer = await fetch(`${sluice.url}${path}`, { method: "POST", headers: all, body });
  return { status: answer.status, text: await answer.text() };
}

test("calls that are nested too deeply are a logged 400, take no place for good and reach no upstream", async ({
  startSluice,
}) => {
  test.setTimeout(120_000);
  const [upstream, sink] = [await startFakeOpenai(), await startFakeWebhook()];
  const params = { model: "openai/fake-model", api_base: upstream.baseUrl, api_key: "sk-fake-upstream" };
  const sluice = await startSluice({ config: { model_list: [{ model_name: "fake-model", litellm_params: params }] } });
  await mustAdmin(sluice, "/team/new", { team_id: "deep", max_parallel_requests: 3 });
  const callback = { callback_name: "webhook", callback_type: "failure", callback_vars: { webhook_url: sink.url } };
  await mustAdmin(sluice, "/team/deep/callback", callback);
  const key = await makeKey(sluice, { team_id: "deep", max_parallel_requests: 3 });
  const deep = nested(5_000);
  const start = `{"model":"fake-model","messages":${JSON.stringify(user)}`;
  const form = new FormData();
  form.append("model", "fake-model");
  form.append("metadata", deep);
  form.append("file", new Blob(["a sound"]), "speech.wav");
  const calls: Parameters<typeof post>[2][] = [
    { body: `${start},"tools":${deep}}` },
    { body: `${start},"metadata":{"a":${deep}}}` },
    { body: `{"model":"fake-model","messages":[{"role":"user","content":${deep}}]}` },
    { body: `${start},"metadata":${JSON.stringify(deep)}}` },
    { body: `${start},"litellm_metadata":${JSON.stringify(deep)}}` },
    { body: `${start}}`, headers: { "x-litellm-spend-logs-metadata": `{"a":${nested(2_000)}}` } },
    { body: `${start}}`, headers: { langfuse_trace_metadata: nested(2_000) } },
    { path: "/v1/responses", body: `{"model":"fake-model","input":${deep}}` },
    { path: "/v1/embeddings", body: `{"model":"fake-model","input":${deep}}` },
    { path: "/v1/messages", body: `{"model":"fake-model","max_tokens":9,"messages":[${deep}]}` },
    { path: "/v1/audio/transcriptions", body: form },
  ];
  for (const call of calls) {
    const { status, text } = await post(sluice, key, call);
    expect({ status, text }).toEqual({ status: 400, text: expect.stringContaining("nested too deeply") });
  }
  expect(upstream.calls).toHaveLength(0);
  const normal = await Promise.all([1, 2, 3].map(() => post(sluice, key, { body: `${start}}` })));
  expect(normal.map(({ status }) => status)).toEqual([200, 200, 200]);
  await until("every refusal is logged", () => sink.records.length >= calls.length);
  expect((await post(sluice, sluice.masterKey, { path: "/team/new", body: `{"metadata":${deep}}` })).status).toBe(422);
  expect((await post(sluice, sluice.masterKey, { path: "/api/trpc/teams.create", body: deep })).status).toBe(400);
  await Promise.all([upstream.close(), sink.close()]);
});

test("no number of one client keeps the others of its team out, and none is an unlogged failure", async ({
  startSluice,
}) => {
  test.setTimeout(180_000);
  // Slow enough that the first call is under way while the others are made.
  const [upstream, sink] = [await startFakeOpenai({ slowMs: 4_000 }), await startFakeWebhook()];
  const params = {
    ...{ model: "openai/fake-model", api_base: upstream.baseUrl, api_key: "sk-fake-upstream" },
    ...{ input_cost_per_token: 0.001, output_cost_per_token: 0.002 },
  };
  const config = {
    model_list: [
      { model_name: "known", litellm_params: params, model_info: { max_output_tokens: 1_000 } },
      { model_name: "unknown", litellm_params: params },
    ],
    litellm_settings: { max_budget: 1_000, budget_duration: "30d" },
  };
  const sluice = await startSluice({ config });
  await mustAdmin(sluice, "/team/new", { team_id: "shared", max_budget: 500 });
  const callback = { callback_name: "webhook", callback_type: "failure", callback_vars: { webhook_url: sink.url } };
  await mustAdmin(sluice, "/team/shared/callback", callback);
  const [greedy, other] = [await makeKey(sluice, { team_id: "shared" }), await makeKey(sluice, { team_id: "shared" })];
  const call = (model: string, fields: string, content = "hi"): string =>
    `{"model":"${model}","messages":[{"role":"user","content":"${content}"}]${fields}}`;
  for (const model of ["known", "unknown"]) {
    for (const fields of ['"max_tokens":1e15', '"max_completion_tokens":1e300', '"max_tokens":"1e15"']) {
      const slow = post(sluice, greedy, { body: call(model, `,${fields}`, "[[slow]] x") });
      await until("it is under way", () => upstream.calls.some(({ status }) => status === 0));
      expect((await post(sluice, other, { body: call(model, "") })).status, `${model} ${fields}`).toBe(200);
      await slow;
      upstream.calls.length = 0;
    }
  }
  for (const fields of ['"max_tokens":1e309', '"n":-1e309', '"seed":1e400', '"temperature":1e309']) {
    const { status, text } = await post(sluice, greedy, { body: call("known", `,${fields}`) });
    expect({ status, text }).toEqual({ status: 400, text: expect.stringContaining("must be a finite number") });
  }
  for (const fields of ['"max_tokens":-5', '"n":-1', '"max_tokens":[1]', '"thinking":{"budget_tokens":1e309}']) {
    expect((await post(sluice, greedy, { body: call("known", `,${fields}`) })).status).toBeLessThan(500);
  }
  await until("the refusals are logged", () => sink.records.length >= 4);
  await Promise.all([upstream.close(), sink.close()]);
});
