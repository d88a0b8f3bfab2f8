import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { GET as KEY } from "#app/(rest)/key/info/route.ts";
import { POST as DELETE } from "#app/(rest)/user/delete/route.ts";
import { GET as INFO } from "#app/(rest)/user/info/route.ts";
import { GET as LIST } from "#app/(rest)/user/list/route.ts";
import { POST as NEW } from "#app/(rest)/user/new/route.ts";
import { POST as UPDATE } from "#app/(rest)/user/update/route.ts";
import { verifyKey } from "#keys/verify-key.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam, makeUser } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const routes = { new: NEW, update: UPDATE, delete: DELETE } as const;

function call(name: keyof typeof routes, body: unknown, key?: string): Promise<TestAnswer> {
  return app.call(routes[name], { path: `/user/${name}`, body, ...(key === undefined ? {} : { key }) });
}

function info(query: string, key?: string): Promise<TestAnswer> {
  return app.call(INFO, { path: `/user/info${query}`, ...(key === undefined ? {} : { key }) });
}

const Made = z.object({ user_id: z.string(), key: z.string(), token: z.string() });

test("makes a user with his teams and a key that acts as him, shown this once", async () => {
  const user_id = `user-${randomUUID()}`;
  const { team_id } = await makeTeam(app.db);
  const user_email = `Ada.${user_id}@Example.com`;
  const answer = await call("new", { user_id, user_email, user_role: "proxy_admin_viewer", teams: [team_id] });
  expect(answer).toMatchObject({
    status: 200,
    body: { user_id, user_email: user_email.toLowerCase(), user_role: "proxy_admin_viewer", teams: [team_id] },
  });
  const { key, token } = Made.parse(answer.body);
  expect(await verifyKey(app.db, key)).toMatchObject({ keyHash: token, userId: user_id, role: "proxy_admin_viewer" });
  const shown = await info(`?user_id=${user_id}`);
  expect(shown.body).toMatchObject({ user_info: { user_id }, keys: [{ token }], teams: [{ team_id }] });
  for (const hidden of [key, "password"]) expect(shown.text).not.toContain(hidden);
  expect(await app.db.auditEntry.count({ where: { objectType: "user", objectId: user_id, action: "create" } })).toBe(1);
});

test("makes nothing where the id, the address or the key's alias is taken, a team is unknown or a field is", async () => {
  const user_id = `user-${randomUUID()}`;
  const user_email = `${user_id}@example.com`;
  const key_alias = `alias-${user_id}`;
  expect((await call("new", { user_id, user_email, key_alias })).status).toBe(200);
  const fresh = `${user_id}-2`;
  for (const [body, status] of [
    [{ user_id }, 409],
    [{ user_id: fresh, user_email: user_email.toUpperCase() }, 400],
    [{ user_id: fresh, key_alias }, 400],
    [{ user_id: fresh, teams: ["nobody"] }, 404],
    [{ user_id: fresh, max_budget: -1 }, 400],
    [{ user_id: fresh, is_admin: true }, 422],
    [{ user_id: fresh, passwordHash: "x" }, 422],
    [{ user_id: fresh, user_role: "org_admin" }, 422],
    [{ user_id: "default_user_id" }, 422],
    ...["a@b.co, c@d.co", '"a b"@example.com', "a＠example.com", "Ada <a@example.com>"].map(
      (email) => [{ user_id: fresh, user_email: email }, 422] as const,
    ),
  ] as const) {
    expect((await call("new", body)).status, JSON.stringify(body)).toBe(status);
  }
  expect(await app.db.user.count({ where: { id: fresh } })).toBe(0);
});

test("a role holds from the next call on; who it is taken from loses its rights", async () => {
  const user_id = await makeUser(app.db, "proxy_admin");
  const { key } = await makeKey(app.db, { user_id });
  expect((await app.call(LIST, { path: `/user/list?user_ids=${user_id}`, key })).body).toMatchObject({
    users: [{ user_id, user_role: "proxy_admin" }],
    total: 1,
  });
  expect((await call("update", { user_id, user_role: "internal_user" })).status).toBe(200);
  expect((await app.call(LIST, { path: "/user/list", key })).status).toBe(401);
  expect(await verifyKey(app.db, key)).toMatchObject({ role: "internal_user" });
});

test("a user changes his name and nothing else of himself, and nobody else", async () => {
  const [user_id, other] = [await makeUser(app.db), await makeUser(app.db, "proxy_admin")];
  const { key } = await makeKey(app.db, { user_id });
  expect(await call("update", { user_id, user_alias: "Ada" }, key)).toMatchObject({
    status: 200,
    body: { user_id, data: { user_alias: "Ada", user_role: "internal_user" } },
  });
  const before = await app.db.user.findMany({ where: { id: { in: [user_id, other] } }, orderBy: { id: "asc" } });
  for (const more of [
    { user_role: "proxy_admin" },
    { max_budget: 1 },
    { models: [] },
    { user_email: "me@example.com" },
    { organization_id: "x" },
    { tpm_limit: null },
  ]) {
    const refused = await call("update", { user_id, ...more }, key);
    expect(refused.status, JSON.stringify(more)).toBe(403);
  }
  for (const more of [{ role: "proxy_admin" }, { id: "x" }, { password: "x" }, { teams: [] }]) {
    expect((await call("update", { user_id, ...more }, key)).status, JSON.stringify(more)).toBe(422);
  }
  const [foreign, missing] = [
    await call("update", { user_id: other, user_alias: "x" }, key),
    await call("update", { user_id: "nobody", user_alias: "x" }, key),
  ];
  expect(foreign.status).toBe(403);
  expect(missing.text).toBe(foreign.text);
  expect(await app.db.user.findMany({ where: { id: { in: [user_id, other] } }, orderBy: { id: "asc" } })).toEqual(
    before,
  );
});

test("an administrator neither demotes nor deletes himself", async () => {
  const user_id = await makeUser(app.db, "proxy_admin");
  const { key } = await makeKey(app.db, { user_id });
  expect((await call("update", { user_id, user_role: "internal_user" }, key)).status).toBe(400);
  expect((await call("delete", { user_ids: [user_id] }, key)).status).toBe(400);
  expect((await call("update", { user_id, user_alias: "x", user_role: "proxy_admin" }, key)).status).toBe(200);
});

test("shows a user himself, and of others not even whether they exist", async () => {
  const [user_id, other] = [await makeUser(app.db), await makeUser(app.db)];
  const { key, token } = await makeKey(app.db, { user_id });
  expect((await info("", key)).body).toMatchObject({ user_id, keys: [{ token }], teams: [] });
  const [foreign, missing] = [await info(`?user_id=${other}`, key), await info("?user_id=nobody", key)];
  expect(foreign.status).toBe(403);
  expect(missing.text).toBe(foreign.text);
  expect((await info("?user_id=nobody")).status).toBe(404);
});

test("deletes users with their keys and memberships, all or none", async () => {
  const user_id = await makeUser(app.db);
  const { team_id } = await makeTeam(app.db, { members_with_roles: [{ role: "user", user_id }] });
  const { key, token } = await makeKey(app.db, { user_id, team_id });
  await verifyKey(app.db, key);
  expect((await call("delete", { user_ids: [user_id, "nobody"] })).status).toBe(404);
  await verifyKey(app.db, key);
  expect(await call("delete", { user_ids: [user_id] })).toMatchObject({ status: 200, body: 1 });
  await expect(verifyKey(app.db, key)).rejects.toMatchObject({ status: 401 });
  expect((await app.call(KEY, { path: `/key/info?key=${token}` })).status).toBe(404);
  expect(await app.db.teamMember.count({ where: { userId: user_id } })).toBe(0);
});

test("lists users by role, team and address, in pages", async () => {
  const user_id = `user-${randomUUID()}`;
  const { team_id } = await makeTeam(app.db, { members_with_roles: [{ role: "user", user_email: `${user_id}@x.co` }] });
  const list = async (query: string) => (await app.call(LIST, { path: `/user/list${query}` })).body;
  const found = { users: [{ user_email: `${user_id}@x.co`, teams: [team_id] }], total: 1, page: 1, total_pages: 1 };
  expect(await list(`?team=${team_id}&role=internal_user`)).toMatchObject(found);
  expect(await list(`?user_email=${user_id.toUpperCase()}`)).toMatchObject(found);
  expect(await list(`?user_email=${user_id}&role=proxy_admin`)).toMatchObject({ users: [], total: 0 });
  expect((await app.call(LIST, { path: "/user/list?page_size=101" })).status).toBe(422);
});
