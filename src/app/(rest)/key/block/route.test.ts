import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { POST as BLOCK } from "#app/(rest)/key/block/route.ts";
import { POST as BULK } from "#app/(rest)/key/bulk_update/route.ts";
import { POST as SERVICE } from "#app/(rest)/key/service-account/generate/route.ts";
import { POST as UNBLOCK } from "#app/(rest)/key/unblock/route.ts";
import { verifyKey } from "#keys/verify-key.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const adminOnly = "Only proxy admin can be used to generate, delete, update info for new keys/users/teams.";

function bulk(keys: unknown, key?: string): Promise<TestAnswer> {
  return app.call(BULK, { path: "/key/bulk_update", body: { keys }, ...(key === undefined ? {} : { key }) });
}

function service(body: unknown, key?: string): Promise<TestAnswer> {
  const path = "/key/service-account/generate";
  return app.call(SERVICE, { path, body, ...(key === undefined ? {} : { key }) });
}

test("a blocked key is refused from its next call on, an unblocked one let in", async () => {
  const { key, token } = await makeKey(app.db, {});
  await verifyKey(app.db, key);
  const blocked = await app.call(BLOCK, { path: "/key/block", body: { key } });
  expect(blocked).toMatchObject({ status: 200, body: { token, blocked: true } });
  await expect(verifyKey(app.db, key)).rejects.toThrow("Key is blocked. Update via `/key/unblock` if you're an admin.");
  const unblocked = await app.call(UNBLOCK, { path: "/key/unblock", body: { key: token } });
  expect(unblocked).toMatchObject({ status: 200, body: { token, blocked: false } });
  await expect(verifyKey(app.db, key)).resolves.toMatchObject({ keyHash: token });
  const actions = await app.db.auditEntry.findMany({ where: { objectId: token }, orderBy: { id: "asc" } });
  expect(actions.map(({ action }) => action)).toEqual(["create", "block", "unblock"]);
});

test("block and unblock refuse texts that are no key, unknown keys and virtual keys", async () => {
  const made = await makeKey(app.db, {});
  for (const [route, path] of [
    [BLOCK, "/key/block"],
    [UNBLOCK, "/key/unblock"],
  ] as const) {
    expect(await app.call(route, { path, body: { key: "nonsense" } })).toMatchObject({
      status: 400,
      body: { error: { message: "Invalid key format." } },
    });
    expect((await app.call(route, { path, body: { key: "sk-nobody" } })).status).toBe(404);
    expect((await app.call(route, { path, body: {} })).status).toBe(422);
    const refused = await app.call(route, { path, body: { key: made.key }, key: made.key });
    expect(refused.status).toBe(401);
    expect(refused.text).toContain(adminOnly);
  }
});

test("bulk_update changes the named keys alone and tells what failed and why", async () => {
  const [first, second, other] = [await makeKey(app.db, {}), await makeKey(app.db, {}), await makeKey(app.db, {})];
  const answer = await bulk([
    { key: first.key, max_budget: 3 },
    { key: second.token, max_budget: -1 },
    { key: "sk-nobody", max_budget: 1 },
    { key: second.token, tags: ["after"] },
  ]);
  expect(answer).toMatchObject({
    status: 200,
    body: {
      total_requested: 4,
      successful_updates: [
        { key: first.key, key_info: { token: first.token, max_budget: 3 } },
        { key: second.token, key_info: { metadata: { tags: ["after"] } } },
      ],
      failed_updates: [
        { key: second.token, key_info: { token: second.token, max_budget: null } },
        { key: "sk-nobody", key_info: null, failed_reason: "Key not found in database" },
      ],
    },
  });
  const untouched = await app.db.key.findUniqueOrThrow({ where: { token: other.token } });
  expect(untouched.maxBudget).toBeNull();
});

test("bulk_update refuses none, more than 500, and virtual keys", async () => {
  expect((await bulk([])).status).toBe(400);
  expect((await bulk(Array.from({ length: 501 }, () => ({ key: "sk-nobody" })))).status).toBe(400);
  expect((await bulk([{ max_budget: 1 }])).status).toBe(422);
  const { key } = await makeKey(app.db, {});
  const refused = await bulk([{ key, max_budget: 1 }], key);
  expect(refused.status).toBe(401);
  expect(refused.text).toContain(adminOnly);
});

test("a service account's key belongs to its team and to no user", async () => {
  const { team_id } = await makeTeam(app.db);
  const key = `sk-${randomUUID()}`;
  expect(await service({ team_id, key, key_alias: `bot-${team_id}` })).toMatchObject({
    status: 200,
    body: { key, team_id, user_id: null, created_by: "default_user_id" },
  });
  expect(await verifyKey(app.db, key)).toMatchObject({ teamId: team_id, userId: null });
  for (const body of [{}, { team_id: null }, { team_id, user_id: "somebody" }]) {
    expect((await service(body)).status).toBe(400);
  }
  expect((await service({})).text).toContain("team_id is required for service account keys");
  expect((await service({ team_id }, key)).text).toContain(
    `${adminOnly} Route=/key/service-account/generate. Your role=unknown`,
  );
});
