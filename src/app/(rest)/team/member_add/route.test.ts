import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { POST as BLOCK } from "#app/(rest)/team/block/route.ts";
import { POST as ADD } from "#app/(rest)/team/member_add/route.ts";
import { POST as REMOVE } from "#app/(rest)/team/member_delete/route.ts";
import { POST as UPDATE } from "#app/(rest)/team/member_update/route.ts";
import { POST as UNBLOCK } from "#app/(rest)/team/unblock/route.ts";
import { verifyKey } from "#keys/verify-key.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam, makeUser } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const routes = {
  "/team/member_add": ADD,
  "/team/member_delete": REMOVE,
  "/team/member_update": UPDATE,
  "/team/block": BLOCK,
  "/team/unblock": UNBLOCK,
} as const;

function call(path: keyof typeof routes, body: unknown, key?: string): Promise<TestAnswer> {
  return app.call(routes[path], { path, body, ...(key === undefined ? {} : { key }) });
}

const creator = { role: "admin", user_id: "default_user_id", user_email: null };

test("adds one member or several, by user id or e-mail address", async () => {
  const { team_id } = await makeTeam(app.db);
  const user_id = `user-${randomUUID()}`;
  const user_email = `${randomUUID()}@example.com`;
  const one = await call("/team/member_add", { team_id, member: { role: "user", user_id }, max_budget_in_team: 4 });
  expect(one).toMatchObject({
    status: 200,
    body: {
      team_id,
      members_with_roles: [creator, { role: "user", user_id, user_email: null }],
      updated_users: [{ user_id, user_email: null }],
      updated_team_memberships: [{ team_id, user_id, litellm_budget_table: { max_budget: 4 } }],
    },
  });
  expect(one.headers.get("x-sluice-warning")).toBeNull();
  const second = `user-${randomUUID()}`;
  const member = [
    { role: "admin", user_email },
    { role: "user", user_id: second },
  ];
  const several = await call("/team/member_add", { team_id, member });
  const { id } = await app.db.user.findUniqueOrThrow({ where: { email: user_email } });
  expect(several.body).toMatchObject({
    updated_users: [
      { user_id: id, user_email },
      { user_id: second, user_email: null },
    ],
  });
  expect(await app.db.teamMember.count({ where: { teamId: team_id } })).toBe(4);
  expect(await app.db.auditEntry.count({ where: { objectId: team_id, action: "add_members" } })).toBe(2);
});

test("knows an address in every spelling, and makes nobody of what is none", async () => {
  const [local, user_email] = [randomUUID(), `${randomUUID()}@example.com`];
  const user_id = await makeUser(app.db);
  await app.db.user.update({ where: { id: user_id }, data: { email: user_email }, select: { id: true } });
  const { team_id } = await makeTeam(app.db, {
    members_with_roles: [{ role: "user", user_email: "", user_id: local }],
  });
  const spelled = ` ${user_email.toUpperCase()}`;
  const added = await call("/team/member_add", { team_id, member: { role: "user", user_email: spelled } });
  expect(added.body).toMatchObject({ updated_users: [{ user_id, user_email }] });
  const again = await call("/team/member_add", { team_id, member: { role: "user", user_email } });
  expect(again.text).toMatch(/already in team/);
  const users = await app.db.user.count();
  for (const no of [
    "nobody",
    "a@b",
    '"a"@example.com',
    "a@example.com,b@example.com",
    "a@example.com\r\nBcc: b@example.com",
  ]) {
    const answer = await call("/team/member_add", { team_id, member: { role: "user", user_email: no } });
    expect(answer.status, no).toBe(422);
  }
  expect(await app.db.user.count()).toBe(users);
  const changed = await call("/team/member_update", { team_id, user_email: spelled, role: "admin" });
  expect(changed).toMatchObject({ status: 200, body: { user_id } });
  expect((await call("/team/member_delete", { team_id, user_email: spelled })).status).toBe(200);
});

test("adds nobody where one is in the team already, is named twice, or where the team is unknown", async () => {
  const user_id = `user-${randomUUID()}`;
  const { team_id } = await makeTeam(app.db, { members_with_roles: [{ role: "user", user_id }] });
  const fresh = { role: "user", user_id: `user-${randomUUID()}` };
  for (const member of [{ role: "user", user_id }, [fresh, { role: "user", user_id }], [fresh, fresh]]) {
    const answer = await call("/team/member_add", { team_id, member });
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(/User=\S+ already in team. Existing members=/);
  }
  expect(await app.db.teamMember.count({ where: { teamId: team_id } })).toBe(2);
  expect(await call("/team/member_add", { team_id: "nobody", member: fresh })).toMatchObject({
    status: 404,
    body: { detail: { error: "Team not found for team_id=nobody" } },
  });
  for (const member of [undefined, [], { role: "owner", user_id }, { role: "user" }]) {
    expect((await call("/team/member_add", { team_id, member })).status).toBe(422);
  }
  expect((await call("/team/member_add", { team_id, member: fresh, max_budget_in_team: -1 })).status).toBe(400);
});

test("adds fifty members in parallel without losing one", async () => {
  const { team_id } = await makeTeam(app.db);
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      call("/team/member_add", { team_id, member: { role: "user", user_id: `u${String(index)}` } }),
    ),
  );
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(await app.db.teamMember.count({ where: { teamId: team_id } })).toBe(51);
});

test("changes a member's role and limits and keeps what is not given", async () => {
  const user_email = `${randomUUID()}@example.com`;
  const { team_id } = await makeTeam(app.db, { members_with_roles: [{ role: "user", user_email }] });
  await call("/team/member_update", { team_id, user_email, max_budget_in_team: 9, rpm_limit: 3 });
  const answer = await call("/team/member_update", { team_id, user_email, role: "admin", tpm_limit: 5 });
  const { id } = await app.db.user.findUniqueOrThrow({ where: { email: user_email } });
  expect(answer.body).toEqual({
    team_id,
    user_id: id,
    user_email,
    role: "admin",
    max_budget_in_team: 9,
    tpm_limit: 5,
    rpm_limit: 3,
  });
  const entries = await app.db.auditEntry.findMany({ where: { objectId: team_id, action: "update_member" } });
  expect(entries).toHaveLength(2);
});

test("removes a member by user id and by e-mail address", async () => {
  const user_id = `user-${randomUUID()}`;
  const user_email = `${randomUUID()}@example.com`;
  const members_with_roles = [
    { role: "user", user_id },
    { role: "user", user_email },
  ];
  const { team_id } = await makeTeam(app.db, { members_with_roles });
  await call("/team/member_delete", { team_id, user_id });
  expect(await call("/team/member_delete", { team_id, user_email })).toMatchObject({
    status: 200,
    body: { team_id, members_with_roles: [creator] },
  });
  expect(await app.db.auditEntry.count({ where: { objectId: team_id, action: "delete_member" } })).toBe(2);
});

test("update and delete refuse unknown teams, strangers and requests that name nobody", async () => {
  const { team_id } = await makeTeam(app.db);
  for (const path of ["/team/member_delete", "/team/member_update"] as const) {
    expect(await call(path, { team_id: "nobody", user_id: "u" })).toMatchObject({
      status: 400,
      body: { detail: { error: "Team id=nobody does not exist in db" } },
    });
    const stranger = await call(path, { team_id, user_id: "stranger" });
    expect(stranger.status).toBe(400);
    expect(stranger.text).toContain("User not found in team.");
    expect((await call(path, { team_id })).status).toBe(422);
  }
});

test("keys of a blocked team are refused in LiteLLM's words from their next call on", async () => {
  const { team_id } = await makeTeam(app.db);
  const { key } = await makeKey(app.db, { team_id });
  await verifyKey(app.db, key);
  expect(await call("/team/block", { team_id })).toMatchObject({ status: 200, body: { team_id, blocked: true } });
  await expect(verifyKey(app.db, key)).rejects.toMatchObject({
    status: 401,
    message: `Authentication Error, Team=${team_id} is blocked. Update via \`/team/unblock\` if you're an admin.`,
  });
  expect(await call("/team/unblock", { team_id })).toMatchObject({ status: 200, body: { blocked: false } });
  await expect(verifyKey(app.db, key)).resolves.toMatchObject({ teamId: team_id });
  for (const path of ["/team/block", "/team/unblock"] as const) {
    expect((await call(path, { team_id: "nobody" })).status).toBe(404);
    expect((await call(path, {})).status).toBe(422);
  }
});

const memberRoutes = ["/team/member_add", "/team/member_delete", "/team/member_update"] as const;

test("a key of nobody may call none of these, its own team's included", async () => {
  const { team_id } = await makeTeam(app.db);
  const { key } = await makeKey(app.db, { team_id });
  for (const path of [...memberRoutes, "/team/block"] as const) {
    const body = { team_id, user_id: "new", member: { role: "user", user_id: "new" } };
    const [own, foreign] = [await call(path, body, key), await call(path, { ...body, team_id: "nobody" }, key)];
    expect(own.status).toBe(401);
    expect(own.text).toContain(
      "Only proxy admin can be used to generate, delete, update info for new keys/users/teams",
    );
    expect(foreign.text).toBe(own.text);
  }
});

test("a team's administrator manages its members and nobody else's; a member does not", async () => {
  const [admin, user] = [await makeUser(app.db), await makeUser(app.db)];
  const members_with_roles = [
    { role: "admin", user_id: admin },
    { role: "user", user_id: user },
  ];
  const { team_id } = await makeTeam(app.db, { members_with_roles });
  const foreign = await makeTeam(app.db);
  const [{ key }, ofMember] = [await makeKey(app.db, { user_id: admin }), await makeKey(app.db, { user_id: user })];
  const body = { user_id: user, member: { role: "user", user_id: "new" } };
  for (const path of memberRoutes) {
    for (const [team, bearer] of [
      [foreign.team_id, key],
      ["nobody", key],
      [team_id, ofMember.key],
    ] as const) {
      const refused = await call(path, { ...body, team_id: team }, bearer);
      expect(refused.status).toBe(403);
      const error = `Call not allowed. User not proxy admin OR team admin. route=${path}, team_id=${team}`;
      expect(refused.body).toEqual({ detail: { error } });
    }
  }
  expect((await call("/team/block", { team_id }, key)).status).toBe(401);
  const added = await call("/team/member_add", { team_id, member: { role: "user", user_id: `new-${team_id}` } }, key);
  expect(added.status).toBe(200);
  expect((await call("/team/member_update", { team_id, user_id: user, role: "admin" }, key)).status).toBe(200);
  expect((await call("/team/member_delete", { team_id, user_id: `new-${team_id}` }, key)).status).toBe(200);
});

test("a team's last administrator can neither leave nor step down; a proxy administrator may take him out", async () => {
  const user_id = await makeUser(app.db);
  const { team_id } = await makeTeam(app.db, { members_with_roles: [{ role: "admin", user_id }] });
  const { key } = await makeKey(app.db, { user_id });
  for (const [path, more] of [
    ["/team/member_delete", {}],
    ["/team/member_update", { role: "user" }],
  ] as const) {
    const refused = await call(path, { team_id, user_id, ...more }, key);
    expect(refused.status).toBe(400);
    expect(refused.text).toContain("last administrator");
  }
  expect((await call("/team/member_delete", { team_id, user_id })).status).toBe(200);
});

test("who leaves a team loses his keys of that team and no others; the team's own stay", async () => {
  const user_id = await makeUser(app.db);
  const { team_id } = await makeTeam(app.db, { members_with_roles: [{ role: "user", user_id }] });
  const [ofTeam, own, service] = [
    await makeKey(app.db, { user_id, team_id }),
    await makeKey(app.db, { user_id }),
    await makeKey(app.db, { team_id }),
  ];
  await verifyKey(app.db, ofTeam.key);
  expect((await call("/team/member_delete", { team_id, user_id })).status).toBe(200);
  await expect(verifyKey(app.db, ofTeam.key)).rejects.toMatchObject({ status: 401 });
  await expect(verifyKey(app.db, own.key)).resolves.toMatchObject({ userId: user_id });
  await expect(verifyKey(app.db, service.key)).resolves.toMatchObject({ teamId: team_id });
});
