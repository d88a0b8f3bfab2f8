import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { POST } from "#app/(rest)/key/update/route.ts";
import { verifyKey } from "#keys/verify-key.ts";
import { resolveCallback } from "#logging/resolve-callback.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
beforeEach(() => {
  app.configure("{}");
});
afterAll(() => app.close());

const mask = "***REDACTED***";
const vars = { langfuse_public_key: "pk-lf-k", langfuse_secret_key: "sk-lf-k" };
const logging = [{ callback_name: "langfuse", callback_vars: vars }];

function update(body: unknown, key?: string): Promise<TestAnswer> {
  return app.call(POST, { path: "/key/update", body, ...(key === undefined ? {} : { key }) });
}

test("takes the key or its hash, changes what is given and keeps the rest", async () => {
  const made = await makeKey(app.db, { models: ["a"], metadata: { note: 1, logging }, permissions: { x: 1 } });
  const byKey = await update({ key: made.key, max_budget: 2, auto_rotate: true });
  expect(byKey.body).toMatchObject({
    key: made.key,
    token: made.token,
    models: ["a"],
    max_budget: 2,
    permissions: { x: 1 },
    auto_rotate: true,
    metadata: { note: 1, logging: [{ callback_name: "langfuse" }] },
  });
  expect(byKey.headers.get("x-sluice-warning")).toContain("auto_rotate is stored");
  const byHash = await update({ key: made.token, models: null, tags: ["t"] });
  expect(byHash.body).toMatchObject({ key: made.token, models: [], metadata: { note: 1, tags: ["t"] } });
  expect(byHash.text).not.toContain(made.key);
});

test("replaces metadata with the callbacks in it, and keeps secrets where masks come back", async () => {
  const made = await makeKey(app.db, { metadata: { note: 1, logging } });
  const masked = { callback_name: "langfuse", callback_vars: { langfuse_public_key: mask, langfuse_secret_key: mask } };
  await update({ key: made.key, metadata: { other: 2, logging: [masked] } });
  const row = await app.db.callback.findFirstOrThrow({ where: { keyToken: made.token } });
  expect(row.version).toBe(1);
  expect(await resolveCallback(app.db, row.id, {})).toMatchObject({ state: "ready", vars });
  const off = await update({ key: made.key, metadata: { logging: [] } });
  expect(off.body).toHaveProperty("metadata", { logging: [] });
  expect((await verifyKey(app.db, made.key)).logging.level).toBe("key_disabled");
  expect((await update({ key: made.key, metadata: {} })).body).toHaveProperty("metadata", {});
  expect((await verifyKey(app.db, made.key)).logging.level).toBe("global");
});

test("lets an expiry end, and a blocked key be refused, at once", async () => {
  const made = await makeKey(app.db, { duration: "1h" });
  await verifyKey(app.db, made.key);
  for (const duration of [null, "-1"]) {
    await update({ key: made.key, duration: "30d" });
    expect((await update({ key: made.key, duration })).body).toMatchObject({ expires: null });
  }
  await update({ key: made.key, blocked: true });
  await expect(verifyKey(app.db, made.key)).rejects.toThrow("Key is blocked");
});

test("moves a key between teams, effective on the next call", async () => {
  const team = await makeTeam(app.db, { metadata: { logging } });
  const made = await makeKey(app.db, {});
  expect((await verifyKey(app.db, made.key)).logging.level).toBe("global");
  await update({ key: made.key, team_id: team.team_id });
  expect(await verifyKey(app.db, made.key)).toMatchObject({ teamId: team.team_id, logging: { level: "team" } });
  await update({ key: made.key, team_id: null });
  expect(await verifyKey(app.db, made.key)).toMatchObject({ teamId: null, logging: { level: "global" } });
});

test("takes an alias that is free or its own, and no other", async () => {
  const [first, second] = [`a-${randomUUID()}`, `b-${randomUUID()}`];
  const made = await makeKey(app.db, { key_alias: first });
  await makeKey(app.db, { key_alias: second });
  expect((await update({ key: made.key, key_alias: first })).status).toBe(200);
  expect(await update({ key: made.key, key_alias: second })).toMatchObject({
    status: 400,
    body: { error: { param: "key_alias" } },
  });
});

test("refuses unknown keys, missing ones, bad values and virtual keys, and writes nothing", async () => {
  expect(await update({ key: "sk-nobody" })).toMatchObject({
    status: 404,
    body: { error: { message: "Key not found in database", type: "not_found_error", param: "key" } },
  });
  expect((await update({})).status).toBe(422);
  const made = await makeKey(app.db, { models: ["a"] });
  expect((await update({ key: made.key, models: ["b"], max_budget: -3 })).status).toBe(400);
  expect((await update({ key: made.key, models: ["b"], metadata: { logging: [7] } })).status).toBe(400);
  expect((await update({ key: made.key, models: ["b"] }, made.key)).status).toBe(401);
  expect(await app.db.key.findUnique({ where: { token: made.token } })).toMatchObject({ models: ["a"] });
});

test("refuses controls that would be ignored, and takes what switches them off", async () => {
  const { key } = await makeKey(app.db);
  for (const control of [{ guardrails: ["g"] }, { enforced_params: ["user"] }, { metadata: { guardrails: ["g"] } }]) {
    const answer = await update({ key, ...control });
    expect([400, 422]).toContain(answer.status);
    expect(answer.text).toContain("protects something");
  }
  expect((await update({ key, guardrails: [], enforced_params: null })).status).toBe(200);
});
