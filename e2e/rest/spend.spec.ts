import { expect, test, type Fakes } from "../fixtures.ts";
import { startFakeOpenai } from "../fakes/openai.ts";
import { startFakeWebhook } from "../fakes/webhook.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { admin, makeKey, mustAdmin, until } from "./admin.ts";

function pricedConfig(fakes: Fakes): Record<string, unknown> {
  const prices = { input_cost_per_token: 0.001, output_cost_per_token: 0.002 };
  const params = { model: "openai/fake-model", api_base: fakes.openai.baseUrl, api_key: "sk-fake-upstream", ...prices };
  return { model_list: [{ model_name: "fake-model", litellm_params: params }] };
}

/** Asks, and tells what the answer says that it cost. */
async function costOf(sluice: SluiceProcess, key: string, content: string): Promise<number> {
  const response = await fetch(`${sluice.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "fake-model", messages: [{ role: "user", content }] }),
  });
  await response.text();
  return Number(response.headers.get("x-litellm-response-cost") ?? 0);
}

async function spendOf(sluice: SluiceProcess, path: string, place: string): Promise<number> {
  const { body } = await admin(sluice, path);
  const info: unknown = body[place];
  return typeof info === "object" && info !== null && "spend" in info ? Number(info.spend) : Number.NaN;
}

test("what calls cost reaches key, team and user whole, in batches, also where the gateway is killed in between", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(180_000);
  const sluice = await startSluice({ config: pricedConfig(fakes) });
  await mustAdmin(sluice, "/team/new", { team_id: "spenders" });
  await mustAdmin(sluice, "/user/new", { user_id: "spender", auto_create_key: false });
  const key = await makeKey(sluice, { team_id: "spenders", user_id: "spender" });
  let cost = 0;
  for (let round = 0; round < 3; round += 1) {
    const asked = Array.from({ length: 40 }, (_, call) => costOf(sluice, key, "word ".repeat(1 + (call % 7))));
    cost += (await Promise.all(asked)).reduce((sum, one) => sum + one, 0);
    await costOf(sluice, key, "[[error-500]]");
    await sluice.kill();
    await sluice.restart();
  }
  expect(cost).toBeGreaterThan(1);
  await until(
    "the spend arrived",
    async () => Math.abs((await spendOf(sluice, `/key/info?key=${key}`, "info")) - cost) < 1e-9,
  );
  expect(await spendOf(sluice, "/team/info?team_id=spenders", "team_info")).toBeCloseTo(cost, 9);
  expect(await spendOf(sluice, "/user/info?user_id=spender", "user_info")).toBeCloseTo(cost, 9);
});

test("a budget of key, team, member or user lets no more through than what was under way, and begins anew in its time", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(180_000);
  // Slow enough that every call of a crowd is under way before the first one is over.
  const slow = await startFakeOpenai({ slowMs: 8_000 });
  const sluice = await startSluice({ config: pricedConfig({ ...fakes, openai: slow }) });
  await mustAdmin(sluice, "/team/new", { team_id: "budget-team", max_budget: 1 });
  await mustAdmin(sluice, "/team/new", { team_id: "member-team" });
  await mustAdmin(sluice, "/user/new", { user_id: "budget-user", max_budget: 1, auto_create_key: false });
  await mustAdmin(sluice, "/user/new", { user_id: "budget-member", auto_create_key: false });
  await mustAdmin(sluice, "/team/member_add", {
    team_id: "member-team",
    member: { role: "user", user_id: "budget-member" },
    max_budget_in_team: 1,
  });
  const keys = [
    await makeKey(sluice, { max_budget: 1 }),
    await makeKey(sluice, { team_id: "budget-team" }),
    await makeKey(sluice, { user_id: "budget-user" }),
    await makeKey(sluice, { team_id: "member-team", user_id: "budget-member" }),
  ];
  // A call holds back 0.25 or a little more, so that four of them at once use up a budget of 1.
  const ask = async (key: string, content = "[[slow]] x"): Promise<{ status: number; text: string }> => {
    const response = await fetch(`${sluice.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({
        model: "fake-model",
        max_tokens: 125,
        messages: [{ role: "user", content }],
      }),
    });
    return { status: response.status, text: await response.text() };
  };
  for (const key of keys) {
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(key)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(96);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(4);
    expect(refused.every(({ text }) => text.includes("Budget has been exceeded! Current cost:"))).toBe(true);
  }
  const short = await makeKey(sluice, { max_budget: 0.001, budget_duration: "3s" });
  expect((await ask(short, "quick")).status).toBe(200);
  await until("it is used up", async () => (await ask(short, "quick")).status === 429);
  await until("it begins anew", async () => (await ask(short, "quick")).status === 200);
  await slow.close();
});

/** A form with a recording in it. */
function recording(model: string): FormData {
  const form = new FormData();
  form.append("model", model);
  form.append("response_format", "verbose_json");
  form.append("file", new Blob(["a sound"], { type: "audio/wav" }), "speech.wav");
  return form;
}

test("pictures, sound and reranks cost what config.yaml says, in the answer, in the log and in the spend", async ({
  startSluice,
  fakes,
}) => {
  const params = { model: "openai/fake-model", api_base: fakes.openai.baseUrl, api_key: "sk-fake-upstream" };
  const priced = (model_name: string, prices: object) => ({ model_name, litellm_params: { ...params, ...prices } });
  const config = {
    model_list: [
      priced("pictures", { output_cost_per_image: 0.04 }),
      priced("voice", { input_cost_per_character: 0.001 }),
      priced("ear", { input_cost_per_second: 0.01 }),
      priced("order", { input_cost_per_query: 0.002 }),
    ],
  };
  const calls: [path: string, body: object | FormData, cost: number][] = [
    ["/v1/images/generations", { model: "pictures", prompt: "a sluice" }, 0.04],
    ["/v1/audio/speech", { model: "voice", input: "twelve signs", voice: "alloy" }, 0.012],
    ["/v1/audio/transcriptions", recording("ear"), 0.04],
    ["/v1/rerank", { model: "order", query: "which", documents: ["one", "two"] }, 0.002],
    ["/v1/images/generations", { model: "pictures", prompt: "[[error-500]]" }, 0],
  ];
  const sink = await startFakeWebhook();
  const sluice = await startSluice({ config });
  await mustAdmin(sluice, "/team/new", { team_id: "priced" });
  const callback = { callback_name: "webhook", callback_vars: { webhook_url: sink.url } };
  await mustAdmin(sluice, "/team/priced/callback", callback);
  await mustAdmin(sluice, "/team/priced/callback", { ...callback, callback_type: "failure" });
  const key = await makeKey(sluice, { team_id: "priced" });
  const logged = new Map<string, number>();
  for (const [path, body, cost] of calls) {
    const isForm = body instanceof FormData;
    const headers = { authorization: `Bearer ${key}`, ...(isForm ? {} : { "content-type": "application/json" }) };
    const answer = await fetch(`${sluice.url}${path}`, {
      ...{ method: "POST", headers },
      body: isForm ? body : JSON.stringify(body),
    });
    await answer.arrayBuffer();
    expect(answer.headers.get("x-litellm-response-cost"), path).toBe(cost === 0 ? null : String(cost));
    logged.set(answer.headers.get("x-litellm-call-id") ?? "", cost);
  }
  await until("all arrived", () => sink.records.length >= calls.length);
  expect(new Map(sink.records.map(({ record }) => [record.litellm_call_id, record.response_cost]))).toEqual(logged);
  const total = [...logged.values()].reduce((sum, cost) => sum + cost, 0);
  await until(
    "the spend arrived",
    async () => Math.abs((await spendOf(sluice, `/key/info?key=${key}`, "info")) - total) < 1e-9,
  );
  await sink.close();
});

test("what all calls together may cost ends the calls of every key, the master key's too, with a log of the refusal", async ({
  startSluice,
  fakes,
}) => {
  const sink = await startFakeWebhook();
  const settings = { max_budget: 0.001, budget_duration: "30d" };
  const sluice = await startSluice({ config: { ...pricedConfig(fakes), litellm_settings: settings } });
  await mustAdmin(sluice, "/team/new", { team_id: "stopped" });
  const vars = { webhook_url: sink.url };
  const callback = { callback_name: "webhook", callback_type: "failure", callback_vars: vars };
  await mustAdmin(sluice, "/team/stopped/callback", callback);
  const [spender, other] = [await makeKey(sluice, {}), await makeKey(sluice, { team_id: "stopped", max_budget: 5 })];
  // The master key's calls are nobody's, but they count for all.
  expect(await costOf(sluice, sluice.masterKey, "some words")).toBeGreaterThan(0.001);
  const statusOf = async (key: string): Promise<number> => {
    const response = await fetch(`${sluice.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "fake-model", messages: [{ role: "user", content: "hi" }] }),
    });
    expect(await response.text()).toContain(response.status === 429 ? "Budget has been exceeded! Current cost:" : "");
    return response.status;
  };
  await until("it is used up", async () => (await statusOf(spender)) === 429);
  expect(await statusOf(other)).toBe(429);
  expect(await statusOf(sluice.masterKey)).toBe(429);
  await until("the refusal arrived", () => sink.records.length > 0);
  expect(sink.records[0]?.record).toMatchObject({
    status: "failure",
    metadata: { user_api_key_spend: 0, user_api_key_max_budget: 5 },
  });
  await sink.close();
});
