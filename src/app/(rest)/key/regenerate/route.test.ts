import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { POST as RESET } from "#app/(rest)/key/[key]/reset_spend/route.ts";
import { POST as ROTATE_PATH } from "#app/(rest)/key/[key]/regenerate/route.ts";
import { POST as DELETE } from "#app/(rest)/key/delete/route.ts";
import { POST } from "#app/(rest)/key/regenerate/route.ts";
import { POST as UPDATE } from "#app/(rest)/key/update/route.ts";
import { verifyKey } from "#keys/verify-key.ts";
import { readStatement } from "#logging/read-statement.ts";
import { resolveCallback } from "#logging/resolve-callback.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";
import { readEverything } from "#testing/read-everything.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const Made = z.object({ key: z.string(), token: z.string(), token_id: z.string() });

function call(body: unknown, key?: string): Promise<TestAnswer> {
  return app.call(POST, { path: "/key/regenerate", body, ...(key === undefined ? {} : { key }) });
}

async function rotate(body: unknown): Promise<z.output<typeof Made>> {
  const answer = await call(body);
  expect(answer.status, answer.text).toBe(200);
  return Made.parse(answer.body);
}

function langfuse(secret: string): object {
  return {
    callback_name: "langfuse",
    callback_vars: {
      langfuse_public_key: "pk-lf-1",
      langfuse_secret_key: secret,
      langfuse_host: "https://us.cloud.langfuse.com",
    },
  };
}

test("takes a limit as a number, as text and as nothing, all at once with the key", async () => {
  const { key } = await makeKey(app.db, { rpm_limit: 7 });
  const answer = await call({ key, max_parallel_requests: "", tpm_limit: " 12 ", rpm_limit: null });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.body).toMatchObject({ max_parallel_requests: null, tpm_limit: 12, rpm_limit: null });
});

test("keeps everything of the row but the key itself, which is shown once", async () => {
  const { team_id } = await makeTeam(app.db);
  const fields = { team_id, key_alias: `alias-${randomUUID()}`, max_budget: 5, models: ["gpt-4"], tags: ["blue"] };
  const made = await makeKey(app.db, fields);
  const { key, token } = made;
  await app.db.key.update({ where: { token }, data: { spend: 2.5 } });
  const answer = await call({ key });
  const next = Made.parse(answer.body);
  expect(answer.body).toEqual({
    ...made,
    key: next.key,
    token: next.token,
    token_id: next.token,
    key_name: `sk-...${next.key.slice(-4)}`,
    spend: 2.5,
    updated_at: z.object({ updated_at: z.string() }).parse(answer.body).updated_at,
  });
  expect(next.key).toMatch(/^sk-/);
  expect([next.token, next.key]).not.toContain(token);
  expect(await readEverything(app.db)).not.toContain(next.key);
  expect(await verifyKey(app.db, next.key)).toMatchObject({ teamId: team_id, keyModels: ["gpt-4"], tags: ["blue"] });
});

test("ends the old key at once without a grace period, also where it is in the cache", async () => {
  const { key } = await makeKey(app.db, {});
  await verifyKey(app.db, key);
  const next = await rotate({ key });
  await expect(verifyKey(app.db, key)).rejects.toThrow("Invalid proxy server token passed");
  await expect(verifyKey(app.db, next.key)).resolves.toMatchObject({ keyHash: next.token });
});

test("lets the old key go on as the same caller until its grace period ends, and not a moment longer", async () => {
  const { key } = await makeKey(app.db, {});
  const next = await rotate({ key, grace_period: "24h" });
  const old = await verifyKey(app.db, key);
  expect(old).toMatchObject({ keyHash: next.token, attribution: { keyHash: next.token } });
  const end = old.expires?.getTime() ?? 0;
  expect(end).toBeGreaterThan(Date.now() + 23 * 3_600_000);
  await expect(verifyKey(app.db, key, new Date(end - 1))).resolves.toBeDefined();
  await expect(verifyKey(app.db, key, new Date(end))).rejects.toThrow("Expired Key");
  await expect(verifyKey(app.db, next.key, new Date(end))).resolves.toBeDefined();
});

test("takes the key's own end where that comes before the end of the grace period", async () => {
  const { key } = await makeKey(app.db, { duration: "1h" });
  const next = await rotate({ key, grace_period: "1w" });
  const [old, current] = [await verifyKey(app.db, key), await verifyKey(app.db, next.key)];
  expect(old.expires).toEqual(current.expires);
});

test("writes reach the old key too: block, delete and another regeneration end its grace", async () => {
  const first = await makeKey(app.db, {});
  const second = await rotate({ key: first.key, grace_period: "2d" });
  const third = await rotate({ key: second.key, grace_period: "2d" });
  for (const key of [first.key, second.key]) {
    expect(await verifyKey(app.db, key)).toMatchObject({ keyHash: third.token });
  }
  await app.call(UPDATE, { path: "/key/update", body: { key: third.key, blocked: true } });
  for (const key of [first.key, second.key, third.key]) {
    await expect(verifyKey(app.db, key)).rejects.toThrow("Key is blocked");
  }
  await app.call(UPDATE, { path: "/key/update", body: { key: third.key, blocked: false } });
  await verifyKey(app.db, first.key);
  const fourth = await rotate({ key: third.key });
  for (const key of [first.key, second.key, third.key]) {
    await expect(verifyKey(app.db, key)).rejects.toThrow("Invalid proxy server token");
  }
  const fifth = await rotate({ key: fourth.key, grace_period: "1d" });
  await verifyKey(app.db, fourth.key);
  await app.call(DELETE, { path: "/key/delete", body: { keys: [fifth.key] } });
  for (const key of [fourth.key, fifth.key]) {
    await expect(verifyKey(app.db, key)).rejects.toThrow("Invalid proxy server token");
  }
});

test("keeps callbacks with their ids, and their secrets can still be opened", async () => {
  const secret = `sk-lf-${randomUUID()}`;
  const { key, token } = await makeKey(app.db, { metadata: { logging: [langfuse(secret)], note: "kept" } });
  const before = await app.db.callback.findFirstOrThrow({ where: { keyToken: token } });
  const answer = await call({ key });
  const next = Made.parse(answer.body);
  expect(answer.body).toMatchObject({ metadata: { note: "kept", logging: [{ callback_name: "langfuse" }] } });
  for (const text of [answer.text, await readEverything(app.db)]) expect(text).not.toContain(secret);
  const after = await app.db.callback.findFirstOrThrow({ where: { keyToken: next.token } });
  expect([after.id, after.version]).toEqual([before.id, before.version]);
  expect(JSON.stringify(after.callbackVars)).not.toBe(JSON.stringify(before.callbackVars));
  expect(await resolveCallback(app.db, after.id, {})).toMatchObject({
    state: "ready",
    vars: { langfuse_secret_key: secret },
  });
  const logging = [{ ...langfuse("***REDACTED***"), callback_type: "failure" }];
  const kept = await app.call(UPDATE, { path: "/key/update", body: { key: next.key, metadata: { logging } } });
  expect(kept.status).toBe(200);
  expect(await resolveCallback(app.db, after.id, {})).toMatchObject({ vars: { langfuse_secret_key: secret } });
});

test("records that wait under the old hash still find the key's redaction", async () => {
  const { key, token } = await makeKey(app.db, { redaction: "content" });
  await rotate({ key });
  expect(await readStatement(app.db, { keyHash: token })).toMatchObject({ redaction: "content" });
});

test("takes a chosen new key, and changes what else is given in the same step", async () => {
  const { key, token } = await makeKey(app.db, { max_budget: 1, metadata: { logging: [langfuse("sk-lf-old")] } });
  const new_key = `sk-${randomUUID()}`;
  const metadata = { logging: [langfuse("sk-lf-new")] };
  const answer = await call({ key: token, new_key, max_budget: 7, metadata });
  expect(answer.body).toMatchObject({ key: new_key, max_budget: 7 });
  const callback = await app.db.callback.findFirstOrThrow({ where: { keyToken: Made.parse(answer.body).token } });
  expect(await resolveCallback(app.db, callback.id, {})).toMatchObject({ vars: { langfuse_secret_key: "sk-lf-new" } });
  await expect(verifyKey(app.db, key)).rejects.toThrow();
  const entries = await app.db.auditEntry.findMany({ where: { objectId: Made.parse(answer.body).token } });
  expect(entries.map((entry) => entry.action)).toEqual(["regenerate"]);
  expect(entries[0]?.before).toMatchObject({ token, max_budget: 1 });
});

test("refuses what does not fit, and then the old key stays as it was", async () => {
  const other = await makeKey(app.db, {});
  const { key } = await makeKey(app.db, {});
  const former = await rotate({ key: other.key });
  for (const body of [
    { key, new_key: "not-a-key-0123456789" },
    { key, new_key: app.masterKey },
    { key, new_key: former.key },
    { key, new_key: other.key },
    { key, grace_period: "soon" },
    { key, max_budget: -1 },
  ]) {
    const answer = await call(body);
    expect(answer.status, JSON.stringify(body)).toBe(400);
    expect(answer.text).not.toContain(key);
  }
  await expect(verifyKey(app.db, key)).resolves.toBeDefined();
  const unknown = await call({ key: "sk-nobody-0123456789" });
  expect(unknown.status).toBe(404);
  expect(unknown.text).toMatch(/Key \S+ not found\./);
  expect(unknown.text).not.toContain("sk-nobody-0123456789");
  const hash = "0".repeat(64);
  expect((await call({ key: hash })).text).toContain(`Key ${hash} not found.`);
  expect((await call({})).status).toBe(422);
  const refused = await call({ key }, key);
  expect(refused.status).toBe(401);
  expect(refused.text).toContain("Only proxy admin can be used to generate, delete, update info for new keys");
});

test("nobody gets a key that another one had before", async () => {
  const { key } = await makeKey(app.db, {});
  await rotate({ key });
  await expect(makeKey(app.db, { key })).rejects.toThrow("This key already exists");
});

test("of many regenerations of one key at once, exactly one happens", async () => {
  const { key } = await makeKey(app.db, {});
  const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await call({ key })).status));
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(statuses.filter((status) => status === 404)).toHaveLength(7);
});

test("takes the key from the path, by its text and by its hash, without a body", async () => {
  const { key } = await makeKey(app.db, {});
  const byPath = (named: string): Promise<TestAnswer> =>
    app.call(ROTATE_PATH, { path: `/key/${named}/regenerate`, method: "POST", params: { key: named } });
  const first = await byPath(key);
  expect(first.status).toBe(200);
  const second = await byPath(Made.parse(first.body).token);
  expect(second.status).toBe(200);
  await expect(verifyKey(app.db, Made.parse(second.body).key)).resolves.toBeDefined();
  expect((await byPath("sk-nobody")).status).toBe(404);
});

test("reset_spend lowers the recorded spend and tells both amounts", async () => {
  const { key, token } = await makeKey(app.db, { max_budget: 10 });
  await app.db.key.update({ where: { token }, data: { spend: 8 } });
  const reset = (named: string, reset_to: unknown, as?: string): Promise<TestAnswer> =>
    app.call(RESET, {
      path: `/key/${named}/reset_spend`,
      params: { key: named },
      body: { reset_to },
      ...(as === undefined ? {} : { key: as }),
    });
  expect(await reset(token, 3)).toMatchObject({
    status: 200,
    body: { key_hash: token, spend: 3, previous_spend: 8, max_budget: 10, budget_reset_at: null },
  });
  expect(await reset(key, 0)).toMatchObject({ body: { spend: 0, previous_spend: 3 } });
  expect((await reset(key, 1)).status).toBe(400);
  expect((await reset(key, -1)).status).toBe(400);
  expect((await reset(key, "all")).status).toBe(422);
  expect((await reset("sk-nobody", 0)).status).toBe(404);
  expect((await reset(key, 0, key)).status).toBe(401);
  expect(await app.db.auditEntry.count({ where: { objectId: token, action: "reset_spend" } })).toBe(2);
});
