import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { POST } from "#app/(rest)/team/delete/route.ts";
import { POST as CREATE } from "#app/(rest)/team/new/route.ts";
import { verifyKey } from "#keys/verify-key.ts";
import { newRecordId } from "#lib/id.ts";
import { logCall } from "#logging/log-call.ts";
import { planLog } from "#logging/log-plan.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeRecord } from "#testing/make-record.ts";
import { makeKey, makeTeam } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
beforeEach(() => {
  app.configure("litellm_settings: { success_callback: [langfuse] }");
});
afterAll(() => app.close());

const logging = [
  { callback_name: "langfuse", callback_vars: { langfuse_public_key: "pk-lf-1", langfuse_secret_key: "sk-lf-1" } },
];

function remove(team_ids: unknown, key?: string): Promise<TestAnswer> {
  return app.call(POST, { path: "/team/delete", body: { team_ids }, ...(key === undefined ? {} : { key }) });
}

async function queue(teamId: string, callbackId: string): Promise<string> {
  const recordId = newRecordId();
  const contents = [{ body: "{}", callbackIds: [callbackId] }];
  await app.delivery.append({ recordId, callId: recordId, teamId, keyHash: null, createdAtMs: Date.now(), contents });
  return recordId;
}

test("deletes teams with their keys, members, callbacks and secrets", async () => {
  const teams = [
    await makeTeam(app.db, { metadata: { logging } }),
    await makeTeam(app.db, { team_id: `a/${randomUUID()}` }),
  ];
  const ids = teams.map((team) => team.team_id);
  const keys = [];
  for (const team_id of ids) keys.push(await makeKey(app.db, { team_id, metadata: { logging } }));
  const other = await makeKey(app.db, {});
  for (const { key } of keys) await verifyKey(app.db, key);
  expect(await remove([...ids, ids[0]])).toMatchObject({ status: 200, body: { deleted_teams: ids } });
  const tokens = keys.map(({ token }) => token);
  expect(await app.db.team.count({ where: { id: { in: ids } } })).toBe(0);
  expect(await app.db.key.count({ where: { token: { in: tokens } } })).toBe(0);
  expect(await app.db.teamMember.count({ where: { teamId: { in: ids } } })).toBe(0);
  expect(await app.db.callback.count({ where: { OR: [{ teamId: { in: ids } }, { keyToken: { in: tokens } }] } })).toBe(
    0,
  );
  for (const { key } of keys) {
    await expect(verifyKey(app.db, key)).rejects.toMatchObject({ status: 401, type: "token_not_found_in_db" });
  }
  await expect(verifyKey(app.db, other.key)).resolves.toBeDefined();
  const audited = await app.db.auditEntry.findMany({
    where: { objectId: { in: [...ids, ...tokens] }, action: "delete" },
  });
  expect(audited).toHaveLength(4);
  expect(JSON.stringify(audited)).not.toContain("sk-lf-1");
});

test("names an unknown team and deletes nothing then", async () => {
  const { team_id } = await makeTeam(app.db);
  const { key } = await makeKey(app.db, { team_id });
  const unknown = `nobody-${randomUUID()}`;
  expect(await remove([team_id, unknown])).toMatchObject({
    status: 404,
    body: { detail: { error: `Team not found, passed team_id=${unknown}` } },
  });
  await expect(verifyKey(app.db, key)).resolves.toMatchObject({ teamId: team_id });
  expect(app.delivery.isDisabled(team_id)).toBe(false);
  for (const ids of [[], "text", undefined]) expect((await remove(ids)).status).toBe(422);
  expect((await remove([team_id], key)).status).toBe(401);
});

test("purges what waited for the team, its keys' callbacks and the global ones", async () => {
  const { team_id } = await makeTeam(app.db, { metadata: { logging } });
  const { token } = await makeKey(app.db, { team_id, metadata: { logging } });
  const callbacks = await app.db.callback.findMany({ where: { OR: [{ teamId: team_id }, { keyToken: token }] } });
  const ids = [...callbacks.map((callback) => callback.id), "config:global:langfuse"];
  expect(ids).toHaveLength(3);
  const records = [];
  for (const id of ids) records.push(await queue(team_id, id));
  const kept = await queue("another-team", "config:global:langfuse");
  await remove([team_id]);
  for (const id of records) expect(await app.delivery.find({ by: "record", id })).toEqual([]);
  expect(await app.delivery.find({ by: "record", id: kept })).toMatchObject([{ state: "pending" }]);
});

test("a call that was under way when its team was deleted leaves no record", async () => {
  const { team_id } = await makeTeam(app.db);
  const { key, token } = await makeKey(app.db, { team_id });
  const caller = await verifyKey(app.db, key);
  const controls = { noLog: false, disabledCallbacks: [], redact: false, liftRedaction: false };
  const plan = planLog(
    caller.logging,
    { controls, isTeamDisabled: false },
    app.configure("litellm_settings: { success_callback: [langfuse] }"),
  );
  expect(plan.targets).toHaveLength(1);
  await remove([team_id]);
  const recordId = newRecordId();
  const record = makeRecord({ recordId });
  const attribution = { ...record.caller, teamId: team_id, keyHash: token };
  expect(await logCall(plan, { ...record, caller: attribution })).toEqual([]);
  expect(await app.delivery.find({ by: "record", id: recordId })).toEqual([]);
});

test("a new team of the same id starts afresh, and its calls are logged again", async () => {
  const { team_id } = await makeTeam(app.db, { metadata: { logging } });
  await remove([team_id]);
  expect(app.delivery.isDisabled(team_id)).toBe(true);
  const made = await app.call(CREATE, { path: "/team/new", body: { team_id } });
  expect(made.body).toMatchObject({ team_id, metadata: {} });
  expect(app.delivery.isDisabled(team_id)).toBe(false);
});

test("leaves delivery and database of one mind when it races with the making of the same team", async () => {
  const { team_id } = await makeTeam(app.db);
  for (let round = 0; round < 5; round += 1) {
    const create = (): Promise<TestAnswer> => app.call(CREATE, { path: "/team/new", body: { team_id } });
    await Promise.all([remove([team_id]), create(), remove([team_id]), create()]);
    const exists = (await app.db.team.count({ where: { id: team_id } })) === 1;
    expect(app.delivery.isDisabled(team_id)).toBe(!exists);
    if (!exists) await create();
  }
});
