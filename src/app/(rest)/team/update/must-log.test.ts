import { afterAll, beforeAll, expect, test } from "vitest";
import { POST as DISABLE } from "#app/(rest)/team/[team_id]/disable_logging/route.ts";
import { POST as UPDATE } from "#app/(rest)/team/update/route.ts";
import { verifyKey } from "#keys/verify-key.ts";
import { configState } from "#lib/config.ts";
import { planLog } from "#logging/log-plan.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam, makeUser } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const callback = {
  callback_name: "langfuse",
  callback_vars: { langfuse_public_key: "pk-lf-1", langfuse_secret_key: "sk-lf-1" },
};

function update(body: object, key?: string): Promise<TestAnswer> {
  return app.call(UPDATE, { path: "/team/update", body, ...(key === undefined ? {} : { key }) });
}

function disable(team_id: string): Promise<TestAnswer> {
  return app.call(DISABLE, { path: "/x", method: "POST", params: { team_id } });
}

test("must_log and a disabled team exclude each other, whichever is set first", async () => {
  const { team_id } = await makeTeam(app.db, { metadata: { logging: [callback] } });
  expect((await update({ team_id, must_log: true })).body).toMatchObject({ data: { must_log: true } });
  for (const refused of [await disable(team_id), await update({ team_id, metadata: { logging: [] } })]) {
    expect(refused.status).toBe(400);
    expect(refused.text).toContain("must_log is set on the team");
  }
  expect((await update({ team_id, must_log: false })).status).toBe(200);
  expect((await disable(team_id)).status).toBe(200);
  expect((await update({ team_id, must_log: true })).status).toBe(400);
  const both = { team_id, must_log: true, metadata: { logging: [callback] } };
  expect((await update(both)).body).toMatchObject({ data: { must_log: true, metadata: { logging: [{}] } } });
  const audited = await app.db.auditEntry.findMany({ where: { objectId: team_id }, orderBy: { createdAt: "asc" } });
  expect(audited.map(({ action }) => action)).toEqual(["create", "update", "update", "disable_logging", "update"]);
  expect(audited[1]).toMatchObject({ before: { must_log: false }, after: { must_log: true } });
});

test("with a team's must_log neither its keys nor requests opt out, and the receipt says so", async () => {
  const { team_id } = await makeTeam(app.db, { must_log: true, metadata: { logging: [callback] } });
  const { key } = await makeKey(app.db, { team_id, metadata: { logging: [] } });
  const { logging } = await verifyKey(app.db, key);
  expect(logging).toMatchObject({ level: "team", mustLog: true, overruledOptOut: true });
  const controls = { noLog: true, disabledCallbacks: ["langfuse"], redact: false, liftRedaction: false };
  const plan = planLog(logging, { controls, isTeamDisabled: false }, configState.get());
  expect(plan).toMatchObject({ targets: [{ callbackName: "langfuse" }], reason: null, mustLog: true });
});

test("a team's administrator sets neither must_log nor what the team may use and spend", async () => {
  const user_id = await makeUser(app.db);
  const members_with_roles = [{ role: "admin", user_id }];
  const { team_id } = await makeTeam(app.db, { members_with_roles, must_log: true, models: ["m1"], max_budget: 5 });
  const { key } = await makeKey(app.db, { user_id });
  const before = await app.db.team.findUniqueOrThrow({ where: { id: team_id } });
  for (const more of [
    { must_log: false },
    { models: [] },
    { max_budget: 6 },
    { max_budget: null },
    { blocked: true },
    { organization_id: "o" },
    { model_aliases: { m1: "m2" } },
    { rpm_limit: 5 },
  ]) {
    const refused = await update({ team_id, team_alias: "not changed", ...more }, key);
    expect(refused.status, JSON.stringify(more)).toBe(403);
    expect(refused.body).toMatchObject({ error: { param: Object.keys(more)[0] } });
  }
  expect(await app.db.team.findUniqueOrThrow({ where: { id: team_id } })).toEqual(before);
  const same = { team_id, must_log: true, models: ["m1"], max_budget: 5, blocked: false };
  const changed = await update({ ...same, team_alias: "Search", redaction: "content" }, key);
  expect(changed).toMatchObject({ status: 200, body: { data: { team_alias: "Search", redaction: "content" } } });
});
