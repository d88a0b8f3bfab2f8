import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { GET } from "#app/(rest)/team/list/route.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const Teams = z.array(z.object({ team_id: z.string(), keys: z.array(z.object({ token: z.string() })) }));

function list(query: string, key?: string): Promise<TestAnswer> {
  return app.call(GET, { path: `/team/list${query}`, ...(key === undefined ? {} : { key }) });
}

async function teamsOf(query: string, key?: string): Promise<z.output<typeof Teams>> {
  const answer = await list(query, key);
  expect(answer.status, answer.text).toBe(200);
  return Teams.parse(answer.body);
}

test("lists to an administrator all teams, a user's and an organization's, with keys and without secrets", async () => {
  const user_id = `user-${randomUUID()}`;
  const organization_id = `org-${randomUUID()}`;
  const secret = `sk-lf-${randomUUID()}`;
  const vars = { langfuse_public_key: "pk", langfuse_secret_key: secret };
  const metadata = { logging: [{ callback_name: "langfuse", callback_vars: vars }] };
  const ofUser = await makeTeam(app.db, { members_with_roles: [{ role: "user", user_id }], metadata });
  const ofOrganization = await makeTeam(app.db, { organization_id });
  const { key, token } = await makeKey(app.db, { team_id: ofUser.team_id, metadata });
  const answer = await list("");
  for (const hidden of [secret, key, "sealed."]) expect(answer.text).not.toContain(hidden);
  expect(Teams.parse(answer.body).map((team) => team.team_id)).toEqual(
    expect.arrayContaining([ofUser.team_id, ofOrganization.team_id]),
  );
  expect(await teamsOf(`?user_id=${user_id}`)).toEqual([{ team_id: ofUser.team_id, keys: [{ token }] }]);
  expect(await teamsOf(`?organization_id=${organization_id}`)).toEqual([{ team_id: ofOrganization.team_id, keys: [] }]);
});

test("lists to a virtual key its own team and its user's, and only its own team's keys", async () => {
  const user_id = `user-${randomUUID()}`;
  const own = await makeTeam(app.db);
  const ofUser = await makeTeam(app.db, { members_with_roles: [{ role: "user", user_id }] });
  await makeTeam(app.db);
  const { key, token } = await makeKey(app.db, { user_id, team_id: own.team_id });
  await makeKey(app.db, { team_id: ofUser.team_id });
  expect(await teamsOf(`?user_id=${user_id}`, key)).toEqual([
    { team_id: own.team_id, keys: [{ token }] },
    { team_id: ofUser.team_id, keys: [] },
  ]);
});

test("refuses a virtual key all teams and other users', and the master key's user is nobody's own", async () => {
  const own = await makeTeam(app.db);
  await makeTeam(app.db);
  const { key, token } = await makeKey(app.db, { team_id: own.team_id });
  for (const query of ["", "?user_id=somebody"]) {
    const answer = await list(query, key);
    expect(answer.status).toBe(401);
    expect(answer.text).toContain("Only admin users can query all teams/other teams. Your user role=");
  }
  const expected = [{ team_id: own.team_id, keys: [{ token }] }];
  expect(await teamsOf("?user_id=default_user_id", key)).toEqual(expected);
  expect((await list("", "sk-nobody")).status).toBe(401);
  expect((await list("?user_id=%00")).status).toBe(422);
});
