import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { isObject } from "../fakes/fake-server.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";
import { ask, promptsAt, request } from "./ask.ts";

test.slow();

const hashOf = (key: string): string => createHash("sha256").update(key).digest("hex");

function infoOf(body: Record<string, unknown>): Record<string, unknown> {
  return isObject(body["info"]) ? body["info"] : {};
}

test("a key is found in every header that may carry it, and nothing else lets a call in", async ({ sluice }) => {
  const key = await makeKey(sluice, {});
  const body = { model: "fake-model", messages: [{ role: "user", content: "hello" }] };
  const call = (headers: Record<string, string>) =>
    request(sluice, "/v1/chat/completions", { key: null, body, headers });
  for (const headers of [
    { authorization: `Bearer ${key}` },
    { authorization: `bearer ${key}` },
    { "x-litellm-api-key": key },
    { "x-litellm-api-key": `Bearer ${key}` },
    { "api-key": key },
    { "x-api-key": key },
    { "x-goog-api-key": key },
    { "ocp-apim-subscription-key": key },
    { "x-litellm-api-key": key, authorization: "Bearer sk-somebody-else" },
    { authorization: `Bearer ${key}`, "x-api-key": "sk-somebody-else" },
  ]) {
    expect((await call(headers)).status, JSON.stringify(headers).replaceAll(key, "KEY")).toBe(200);
  }
  const useless: Record<string, string>[] = [
    {},
    { authorization: "" },
    { authorization: "Bearer " },
    { authorization: key },
    { authorization: `Basic ${Buffer.from(`user:${key}`).toString("base64")}` },
    { authorization: "Bearer sk-unknown-0123456789" },
    { authorization: `Bearer ${hashOf(key)}` },
    { authorization: `Bearer sk-${hashOf(key)}` },
    { authorization: `Bearer ${key}x` },
    { authorization: `Bearer ${key.slice(0, -1)}` },
    { authorization: "Bearer sk-somebody-else", "x-api-key": key },
  ];
  for (const headers of useless) {
    const refused = await call(headers);
    const title = JSON.stringify(headers).replaceAll(key, "KEY");
    expect([refused.status, refused.body], title).toMatchObject([401, { error: { code: "401" } }]);
    expect(refused.text, title).not.toContain(key);
  }
});

test("a key is shown once, in the form that clients know, and kept as a hash alone", async ({ startSluice, fakes }) => {
  const sluice = await startSluice({ config: fakeModelConfig(fakes) });
  const made = await mustAdmin(sluice, "/key/generate", { key_alias: "shown once" });
  const key = String(made["key"]);
  expect(key).toMatch(/^sk-[A-Za-z0-9_-]{22}$/);
  expect(made).toMatchObject({
    token: hashOf(key),
    token_id: hashOf(key),
    key_name: `sk-...${key.slice(-4)}`,
    key_alias: "shown once",
    expires: null,
    spend: 0,
    models: [],
    metadata: {},
  });
  await ask(sluice, key, { content: "used" });
  for (const path of [`/key/info?key=${hashOf(key)}`, "/key/list?return_full_object=true", "/audit", "/key/list"]) {
    const answer = await request(sluice, path);
    expect(answer.status, path).toBe(200);
    expect(answer.text, path).not.toContain(key);
  }
  expect(await mustAdmin(sluice, "/key/list")).toMatchObject({ keys: [hashOf(key)], total_count: 1, current_page: 1 });
  await sluice.stop();
  for (const file of await readdir(sluice.dataDir, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const bytes = await readFile(join(file.parentPath, file.name));
    expect(bytes.includes(key), `${file.name} holds the key`).toBe(false);
  }
  expect(sluice.logs()).not.toContain(key);
});

test("a key tells of itself what it was made with, and of others nothing", async ({ sluice }) => {
  const fields = {
    models: ["fake-model"],
    max_budget: 12.5,
    tpm_limit: 1_000_000,
    rpm_limit: 1_000,
    max_parallel_requests: 7,
    metadata: { cost_center: 7, nested: { deep: [true, null] } },
    duration: "1h",
  };
  const key = await makeKey(sluice, { ...fields, key_alias: "round trip" });
  const { duration, ...kept } = fields;
  expect(duration).toBe("1h");
  for (const answer of [
    await request(sluice, `/key/info?key=${key}`),
    await request(sluice, `/key/info?key=${hashOf(key)}`),
    await request(sluice, `/key/info?key=${key}`, { key }),
    await request(sluice, "/key/info", { key }),
  ]) {
    expect(answer.status).toBe(200);
    expect(infoOf(answer.body)).toMatchObject({ ...kept, key_alias: "round trip", blocked: null });
    expect(infoOf(answer.body)).not.toHaveProperty("token");
  }
  const other = await makeKey(sluice, {});
  for (const foreign of [other, "sk-nobody-0123456789abcd"]) {
    const refused = await request(sluice, `/key/info?key=${foreign}`, { key });
    expect(refused.status).toBe(403);
    expect(refused.text).toContain("You are not allowed to access this key's info.");
  }
  const missing = await request(sluice, "/key/info?key=sk-nobody-0123456789abcd");
  expect([missing.status, missing.body]).toMatchObject([
    404,
    { error: { message: expect.stringContaining("Key not found in database"), type: "not_found_error", param: "key" } },
  ]);
  expect(await mustAdmin(sluice, "/key/block", { key })).toMatchObject({ blocked: true });
  expect(infoOf(await mustAdmin(sluice, `/key/info?key=${key}`))).toMatchObject({ blocked: true });
  expect(await mustAdmin(sluice, "/key/unblock", { key })).toMatchObject({ blocked: false });
  expect(infoOf(await mustAdmin(sluice, `/key/info?key=${key}`))).toMatchObject({ blocked: false });

  const bulk = await mustAdmin(sluice, "/key/bulk_update", { keys: [{ key, max_budget: 3 }] });
  expect(bulk).toMatchObject({ total_requested: 1, failed_updates: [] });
  expect(infoOf(await mustAdmin(sluice, `/key/info?key=${key}`))).toMatchObject({ ...kept, max_budget: 3 });
  expect(infoOf(await mustAdmin(sluice, `/key/info?key=${other}`))).toMatchObject({ max_budget: null });
});

test("the models of a key, of an update and of its team hold from the next call on", async ({ startSluice, fakes }) => {
  const [model] = [fakeModelConfig(fakes)["model_list"]].flat();
  const models = ["first", "second"].map((model_name) => ({ ...(isObject(model) ? model : {}), model_name }));
  const sluice = await startSluice({ config: { model_list: models } });
  await mustAdmin(sluice, "/team/new", { team_id: "models" });
  const key = await makeKey(sluice, { team_id: "models", models: ["first"] });
  const statuses = async (): Promise<number[]> => {
    const answers = [];
    for (const model of ["first", "second"]) answers.push(await ask(sluice, key, { content: "hello", model }));
    for (const refused of answers.filter(({ status }) => status !== 200)) {
      expect(refused.text).toMatch(/"type":"(key|team)_model_access_denied"/);
    }
    return answers.map(({ status }) => status);
  };
  const listed = async (): Promise<string> => (await request(sluice, "/v1/models", { key })).text;
  expect(await statuses()).toEqual([200, 403]);
  expect(await listed()).not.toContain("second");
  await mustAdmin(sluice, "/key/update", { key, models: ["second"] });
  expect(await statuses()).toEqual([403, 200]);
  await mustAdmin(sluice, "/key/update", { key, models: [] });
  expect(await statuses()).toEqual([200, 200]);
  await mustAdmin(sluice, "/team/update", { team_id: "models", models: ["first"] });
  expect(await statuses()).toEqual([200, 403]);
  expect(await listed()).not.toContain("second");
});

test("a key ends at its second, and calls that ended, blocked and deleted keys try are nobody's success", async ({
  startSluice,
  fakes,
}) => {
  const project = makeProject("ended");
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const sluice = await startSluice({ config: fakeModelConfig(fakes) });
  const logging = [{ callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, project) }];
  const made = await mustAdmin(sluice, "/key/generate", { duration: "4s", metadata: { logging } });
  const key = String(made["key"]);
  const endMs = Date.parse(String(made["expires"]));
  expect(endMs - Date.parse(String(made["created_at"]))).toBeGreaterThan(3_000);
  const answers: { sentMs: number; answeredMs: number; status: number; text: string }[] = [];
  const answered: string[] = [];
  while (Date.now() < endMs + 1_000) {
    const sentMs = Date.now();
    const content = `before or after ${String(answers.length)}`;
    const { status, text } = await ask(sluice, key, { content });
    if (status === 200) answered.push(content);
    answers.push({ sentMs, answeredMs: Date.now(), status, text });
    await sleep(40);
  }
  for (const { sentMs, answeredMs, status, text } of answers) {
    if (answeredMs < endMs) expect(status).toBe(200);
    if (sentMs > endMs) expect([status, text]).toEqual([401, expect.stringContaining("expired_key")]);
  }
  expect(answers.some(({ sentMs }) => sentMs > endMs)).toBe(true);
  expect(answered.length).toBeGreaterThan(0);
  const blocked = await makeKey(sluice, { blocked: true, metadata: { logging } });
  const deleted = await makeKey(sluice, { metadata: { logging } });
  await mustAdmin(sluice, "/key/delete", { keys: [deleted] });
  for (const each of [blocked, deleted]) {
    expect((await ask(sluice, each, { content: "refused" })).status).toBe(401);
  }
  const successes = (): string[] =>
    langfuse.project("ended").spans.flatMap(({ level, input }) => {
      return level === "ERROR" ? [] : [/"content":"([^"]*)"/.exec(JSON.stringify(input))?.[1] ?? ""];
    });
  await until("all arrived", () => successes().length >= answered.length);
  await sleep(1_000);
  expect(successes().toSorted()).toEqual(answered.toSorted());
  // Without a grace period an update of the end holds at once.
  await mustAdmin(sluice, "/key/update", { key, duration: "-1" });
  expect((await ask(sluice, key, { content: "lives on" })).status).toBe(200);
  await langfuse.close();
});

test("a key that moves to another team under load logs each call where it belonged when the call began", async ({
  startSluice,
  fakes,
}) => {
  const projects = ["left", "right"].map(makeProject);
  const langfuse = await startFakeLangfuse({ projects });
  const sluice = await startSluice({ config: fakeModelConfig(fakes) });
  for (const project of projects) {
    await mustAdmin(sluice, "/team/new", { team_id: project.id });
    const callback = { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, project) };
    await mustAdmin(sluice, `/team/${project.id}/callback`, callback);
  }
  const key = await makeKey(sluice, { team_id: "left" });
  /** From when until when the key surely was in a team; a call that began in between may be in either. */
  const moves: { team: string; askedMs: number; doneMs: number }[] = [{ team: "left", askedMs: 0, doneMs: 0 }];
  const calls: { content: string; sentMs: number; answeredMs: number }[] = [];
  const stop = new AbortController();
  const clients = Array.from({ length: 6 }, async (_, who) => {
    for (let call = 0; call < 400 && !stop.signal.aborted; call += 1) {
      // Half of the calls take long, so that many are under way when the key moves.
      const content = `${call % 2 === 0 ? "[[slow]] " : ""}call ${String(who)}-${String(call)}`;
      const sentMs = performance.now();
      const { status } = await ask(sluice, key, { content, stream: call % 4 < 2 });
      expect(status).toBe(200);
      calls.push({ content, sentMs, answeredMs: performance.now() });
    }
  });
  for (let move = 1; move <= 4; move += 1) {
    await sleep(700);
    const team = move % 2 === 1 ? "right" : "left";
    const askedMs = performance.now();
    await mustAdmin(sluice, "/key/update", { key, team_id: team });
    moves.push({ team, askedMs, doneMs: performance.now() });
  }
  await sleep(500);
  stop.abort();
  await Promise.all(clients);
  const arrivedAt = (team: string): string[] => promptsAt(langfuse, team);
  await until("all arrived", () => arrivedAt("left").length + arrivedAt("right").length >= calls.length, 40_000);
  await sleep(500);
  const [left, right] = ["left", "right"].map((team) => new Set(arrivedAt(team)));
  expect(arrivedAt("left").length + arrivedAt("right").length).toBe(calls.length);
  const isSurelyUnderWay = (sentMs: number): string | null => {
    const last = moves.findLast(({ doneMs }) => doneMs < sentMs);
    const next = moves.find(({ askedMs }) => askedMs > (last?.doneMs ?? 0));
    return last !== undefined && (next === undefined || next.askedMs > sentMs + 150) ? last.team : null;
  };
  let judged = 0;
  for (const { content, sentMs } of calls) {
    const team = isSurelyUnderWay(sentMs);
    if (team === null) continue;
    judged += 1;
    expect((team === "left" ? left : right)?.has(content), `${content} belongs to ${team}`).toBe(true);
  }
  expect(judged).toBeGreaterThan(calls.length / 2);
  await langfuse.close();
});

test("a key's recorded spend can be reset, which lifts the refusal of its budget", async ({ startSluice, fakes }) => {
  const price = { input_cost_per_token: 0.001, output_cost_per_token: 0.002 };
  const params = { model: "openai/x", api_base: fakes.openai.baseUrl, api_key: "sk-u", ...price };
  const sluice = await startSluice({ config: { model_list: [{ model_name: "fake-model", litellm_params: params }] } });
  const key = await makeKey(sluice, { max_budget: 0.05 });
  const spendOf = async (): Promise<number> => Number(infoOf(await mustAdmin(sluice, `/key/info?key=${key}`))["spend"]);
  const spend = () => ask(sluice, key, { content: "spends", max_tokens: 10 });
  let answer = await spend();
  expect(answer.status).toBe(200);
  await until("the budget is used up", async () => {
    answer = await spend();
    return answer.status !== 200;
  });
  expect([answer.status, answer.body]).toMatchObject([429, { error: { type: "budget_exceeded" } }]);
  // Spend is recorded in batches, a moment after the calls.
  let spent = 0;
  await until("what was spent is recorded", async () => {
    const before = spent;
    await sleep(700);
    spent = await spendOf();
    return spent > 0 && spent === before;
  });
  expect(await mustAdmin(sluice, `/key/${key}/reset_spend`, { reset_to: 0 })).toMatchObject({
    spend: 0,
    previous_spend: spent,
    key_hash: hashOf(key),
  });
  expect((await spend()).status).toBe(200);
});
