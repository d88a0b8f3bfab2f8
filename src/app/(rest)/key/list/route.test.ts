import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { GET } from "#app/(rest)/key/list/route.ts";
import { POST as INFO } from "#app/(rest)/v2/key/info/route.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam, makeUser } from "#testing/make.ts";
import { shownSecret } from "#testing/shown-secret.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const Page = z.object({ keys: z.array(z.string()), total_count: z.number(), total_pages: z.number() });

function list(query: string, key?: string): Promise<TestAnswer> {
  return app.call(GET, { path: `/key/list${query}`, ...(key === undefined ? {} : { key }) });
}

async function keysOf(query: string, key?: string): Promise<string[]> {
  const answer = await list(query, key);
  expect(answer.status, answer.text).toBe(200);
  return Page.parse(answer.body).keys;
}

test("pages through the keys that an administrator filters, the newest first", async () => {
  const { team_id } = await makeTeam(app.db);
  const made = [];
  for (let i = 0; i < 5; i += 1) made.push(await makeKey(app.db, { team_id, key_alias: `${String(i)}-${team_id}` }));
  const newest = made.map(({ token }) => token).reverse();
  const query = `?team_id=${team_id}&size=2`;
  expect((await list(query)).body).toEqual({
    keys: newest.slice(0, 2),
    total_count: 5,
    current_page: 1,
    total_pages: 3,
  });
  expect(await keysOf(`${query}&page=3`)).toEqual(newest.slice(4));
  expect(await keysOf(`?team_id=${team_id}&sort_by=key_alias&sort_order=asc`)).toEqual([...newest].reverse());
  expect(await keysOf(`?key_hash=${made[1]?.token ?? ""}`)).toEqual([made[1]?.token]);
  expect(await keysOf(`?key_alias=3-${team_id}`)).toEqual([made[3]?.token]);
  expect(await keysOf(`?team_id=${team_id}&status=deleted`)).toEqual([]);
});

test("filters by user, and takes in what he made and his teams' keys where that is asked for", async () => {
  const user_id = `user-${randomUUID()}`;
  const { team_id } = await makeTeam(app.db, { members_with_roles: [{ role: "user", user_id }] });
  const own = await makeKey(app.db, { user_id });
  const ofTeam = await makeKey(app.db, { team_id });
  const made = await makeKey(app.db, {});
  await app.db.key.update({ where: { token: made.token }, data: { createdBy: user_id } });
  expect(await keysOf(`?user_id=${user_id}`)).toEqual([own.token]);
  expect(await keysOf(`?user_id=${user_id}&include_team_keys=true`)).toEqual([ofTeam.token, own.token]);
  expect(await keysOf(`?user_id=${user_id}&include_created_by_keys=true`)).toEqual([made.token, own.token]);
});

test("shows whole rows with secrets masked", async () => {
  const secret = `sk-lf-${randomUUID()}`;
  const vars = { langfuse_public_key: "pk", langfuse_secret_key: secret };
  const made = await makeKey(app.db, { metadata: { logging: [{ callback_name: "langfuse", callback_vars: vars }] } });
  const answer = await list(`?key_hash=${made.token}&return_full_object=true`);
  expect(answer.body).toMatchObject({
    keys: [
      {
        token: made.token,
        metadata: { logging: [{ callback_vars: { langfuse_secret_key: shownSecret(secret.slice(-4)) } }] },
      },
    ],
  });
  for (const hidden of [secret, made.key, "sealed."]) expect(answer.text).not.toContain(hidden);
});

test("shows a virtual key its user's keys, its team's where it asks, and never another's", async () => {
  const user_id = await makeUser(app.db);
  const { team_id } = await makeTeam(app.db);
  const caller = await makeKey(app.db, { user_id, team_id });
  const own = await makeKey(app.db, { user_id });
  const ofTeam = await makeKey(app.db, { team_id });
  const foreign = await makeTeam(app.db);
  await makeKey(app.db, { team_id: foreign.team_id });
  expect(await keysOf("", caller.key)).toEqual([own.token, caller.token]);
  expect(await keysOf(`?user_id=${user_id}`, caller.key)).toEqual([own.token, caller.token]);
  expect(await keysOf("?include_team_keys=true", caller.key)).toEqual([ofTeam.token, own.token, caller.token]);
  expect(await keysOf(`?team_id=${team_id}`, caller.key)).toEqual([ofTeam.token, caller.token]);
  expect((await list("?user_id=somebody", caller.key)).status).toBe(403);
  const [other, missing] = [
    await list(`?team_id=${foreign.team_id}`, caller.key),
    await list("?team_id=nobody", caller.key),
  ];
  expect(other.status).toBe(403);
  expect(missing.body).toEqual(other.body);
});

test("a key of the master key's user, or of one who does not exist, sees itself alone, one without user nothing", async () => {
  const made = await makeKey(app.db, {});
  expect(await keysOf("", made.key)).toEqual([made.token]);
  expect(await keysOf("?user_id=default_user_id", made.key)).toEqual([made.token]);
  const ofStranger = await makeKey(app.db, { user_id: `user-${randomUUID()}` });
  expect(await keysOf("", ofStranger.key)).toEqual([ofStranger.token]);
  await app.db.key.update({ where: { token: made.token }, data: { userId: null } });
  const orphan = await makeKey(app.db, {});
  await app.db.key.update({ where: { token: orphan.token }, data: { userId: null } });
  expect((await list("", orphan.key)).status).toBe(403);
  expect((await list("", "sk-nobody")).status).toBe(401);
});

test("refuses sizes, orders and texts that do not fit", async () => {
  for (const query of ["?size=0", "?size=101", "?page=0", "?sort_by=token", "?sort_order=up", "?team_id=%00"]) {
    expect((await list(query)).status, query).toBe(422);
  }
});

test("v2/key/info shows an administrator all that exist and a virtual key itself", async () => {
  const [first, second] = [await makeKey(app.db, {}), await makeKey(app.db, {})];
  const keys = [second.key, "sk-nobody", first.token];
  const info = (key?: string): Promise<TestAnswer> =>
    app.call(INFO, { path: "/v2/key/info", body: { keys }, ...(key === undefined ? {} : { key }) });
  expect((await info()).body).toMatchObject({ key: keys, info: [{ token: second.token }, { token: first.token }] });
  const own = await info(first.key);
  expect(own.body).toMatchObject({ key: keys, info: [{ token: first.token }] });
  expect(own.text).not.toContain(second.token);
  expect((await app.call(INFO, { path: "/v2/key/info", body: {} })).status).toBe(422);
});
