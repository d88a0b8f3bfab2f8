import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GET } from "#app/(rest)/team/info/route.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

function info(query: string, key?: string): Promise<TestAnswer> {
  return app.call(GET, { path: `/team/info${query}`, ...(key === undefined ? {} : { key }) });
}

test("shows a team and its keys, secrets masked, to administrators and to the team's own keys", async () => {
  const team_id = `org/${randomUUID()}`;
  const secret = `sk-lf-${randomUUID()}`;
  const logging = [
    { callback_name: "langfuse", callback_vars: { langfuse_public_key: "pk-lf-1", langfuse_secret_key: secret } },
  ];
  await makeTeam(app.db, { team_id, metadata: { logging } });
  const made = await makeKey(app.db, { team_id, metadata: { logging } });
  for (const key of [app.masterKey, made.key]) {
    const answer = await info(`?team_id=${encodeURIComponent(team_id)}`, key);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      team_id,
      team_info: { team_id, metadata: { logging: [{ callback_name: "langfuse" }] } },
      keys: [{ token: made.token, key_name: made.key_name }],
      team_memberships: [],
    });
    for (const hidden of [secret, made.key, "sealed."]) expect(answer.text).not.toContain(hidden);
  }
});

test("tells a foreign key nothing, not even whether a team exists", async () => {
  const { team_id } = await makeTeam(app.db);
  const { key } = await makeKey(app.db, { team_id: "another" });
  const [foreign, missing] = [await info(`?team_id=${team_id}`, key), await info("?team_id=nobody", key)];
  expect(foreign.status).toBe(403);
  expect(foreign.body).toEqual(missing.body);
});

test("answers 404 for an unknown team, and 422 without an id or with one that no team can have", async () => {
  expect(await info("?team_id=no%00body")).toMatchObject({ status: 422 });
  expect(await info("?team_id=nobody")).toMatchObject({
    status: 404,
    body: { error: { type: "auth_error", message: "Team not found, passed team id: nobody." } },
  });
  expect((await info("")).status).toBe(422);
});
