import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { DELETE } from "#app/(rest)/team/[team_id]/callback/[callback_name]/route.ts";
import { GET, POST } from "#app/(rest)/team/[team_id]/callback/route.ts";
import { POST as DISABLE } from "#app/(rest)/team/[team_id]/disable_logging/route.ts";
import { GET as INFO } from "#app/(rest)/team/info/route.ts";
import { POST as UPDATE } from "#app/(rest)/team/update/route.ts";
import { verifyKey } from "#keys/verify-key.ts";
import { newRecordId } from "#lib/id.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
beforeEach(() => {
  app.configure("litellm_settings: { success_callback: [langfuse] }");
});
afterAll(() => app.close());

const gcsVars = { gcs_bucket_name: "bucket" };
const varsOf: Record<string, object> = {
  langfuse: { langfuse_public_key: "pk-lf-1", langfuse_secret_key: "sk-lf-hidden-1" },
  gcs_bucket: gcsVars,
};

function remove(team_id: string, callback_name: string, key?: string): Promise<TestAnswer> {
  const path = `/team/${encodeURIComponent(team_id)}/callback/${callback_name}`;
  return app.call(DELETE, {
    path,
    method: "DELETE",
    params: { team_id, callback_name },
    ...(key === undefined ? {} : { key }),
  });
}

function add(team_id: string, callback_name: string, callback_type: string): Promise<TestAnswer> {
  const body = { callback_name, callback_type, callback_vars: varsOf[callback_name] ?? {} };
  return app.call(POST, { path: `/team/x/callback`, params: { team_id }, body });
}

async function stateOf(team_id: string): Promise<unknown> {
  const answer = await app.call(GET, { path: `/team/x/callback`, params: { team_id } });
  return answer.body;
}

async function loggingOf(team_id: string): Promise<unknown> {
  return (await app.call(INFO, { path: `/team/info?team_id=${encodeURIComponent(team_id)}` })).body;
}

test("goes through the state table of a team's logging, deletions included", async () => {
  app.configure(
    "{ general_settings: { lenient_callbacks: true }, litellm_settings: { success_callback: [langfuse] } }",
  );
  const { team_id } = await makeTeam(app.db, { team_id: `org/${randomUUID()}` });
  const { key } = await makeKey(app.db, { team_id });
  const level = async (): Promise<string> => (await verifyKey(app.db, key)).logging.level;
  expect(await level()).toBe("global");
  await add(team_id, "langfuse", "success");
  await add(team_id, "langfuse", "failure");
  await add(team_id, "gcs_bucket", "success_and_failure");
  expect(await stateOf(team_id)).toMatchObject({
    data: { success_callbacks: ["langfuse", "gcs_bucket"], failure_callbacks: ["langfuse", "gcs_bucket"] },
  });
  const removed = await remove(team_id, "langfuse");
  expect(removed.status).toBe(200);
  expect(removed.body).toEqual({
    status: "success",
    message: `Callback langfuse removed for team ${team_id}`,
    data: { team_id, success_callbacks: ["gcs_bucket"], failure_callbacks: ["gcs_bucket"] },
  });
  expect(await stateOf(team_id)).toMatchObject({
    data: { success_callbacks: ["gcs_bucket"], failure_callbacks: ["gcs_bucket"], callback_vars: gcsVars },
  });
  expect((await remove(team_id, "gcs_bucket")).body).toMatchObject({
    data: { success_callbacks: [], failure_callbacks: [] },
  });
  expect(await loggingOf(team_id)).not.toHaveProperty("team_info.metadata.logging");
  expect(await level()).toBe("global");
  expect(app.delivery.isDisabled(team_id)).toBe(false);
});

test("does not end the disabled state: a disabled team has nothing to delete", async () => {
  const { team_id } = await makeTeam(app.db);
  const { key } = await makeKey(app.db, { team_id });
  await add(team_id, "langfuse", "success");
  await app.call(DISABLE, { path: "/team/x/disable_logging", method: "POST", params: { team_id } });
  expect((await remove(team_id, "langfuse")).status).toBe(404);
  expect((await verifyKey(app.db, key)).logging.level).toBe("team_disabled");
  await app.call(UPDATE, { path: "/team/update", body: { team_id, metadata: {} } });
  expect((await verifyKey(app.db, key)).logging.level).toBe("team_disabled");
});

test("holds for the very next call and suppresses what was waiting for the callback alone", async () => {
  const { team_id } = await makeTeam(app.db);
  const { key } = await makeKey(app.db, { team_id });
  await add(team_id, "langfuse", "success");
  expect((await verifyKey(app.db, key)).logging.level).toBe("team");
  const row = await app.db.callback.findFirstOrThrow({ where: { teamId: team_id } });
  const recordId = newRecordId();
  const contents = [{ body: "{}", callbackIds: [row.id, "config:global:langfuse"] }];
  await app.delivery.append({
    recordId,
    callId: recordId,
    teamId: team_id,
    keyHash: null,
    createdAtMs: Date.now(),
    contents,
  });
  await remove(team_id, "langfuse");
  expect((await verifyKey(app.db, key)).logging.level).toBe("global");
  const states = await app.delivery.find({ by: "record", id: recordId });
  expect(Object.fromEntries(states.map(({ callbackId, state }) => [callbackId, state]))).toEqual({
    [row.id]: "suppressed",
    "config:global:langfuse": "pending",
  });
  const entry = await app.db.auditEntry.findFirstOrThrow({ where: { objectId: team_id, action: "delete_callback" } });
  expect(JSON.stringify(entry)).not.toContain("sk-lf-hidden-1");
});

test("refuses unknown callbacks, unknown teams and virtual keys", async () => {
  const { team_id } = await makeTeam(app.db);
  const { key } = await makeKey(app.db, { team_id });
  await add(team_id, "langfuse", "success");
  const error = `callback_name = datadog is not registered for team_id = ${team_id}.`;
  expect(await remove(team_id, "datadog")).toMatchObject({ status: 404, body: { detail: { error } } });
  expect(await remove("nobody", "langfuse")).toMatchObject({
    status: 404,
    body: { detail: { error: "Team id = nobody does not exist." } },
  });
  const refused = await remove(team_id, "langfuse", key);
  expect(refused.status).toBe(401);
  expect(refused.text).toContain("Only proxy admin can be used to");
  expect((await verifyKey(app.db, key)).logging.level).toBe("team");
});

test("fifty additions and deletions in parallel lose nothing and leave nothing behind", async () => {
  app.configure("general_settings: { lenient_callbacks: true }");
  const { team_id } = await makeTeam(app.db);
  const names = Array.from({ length: 50 }, (_, index) => `custom-${String(index)}`);
  const added = await Promise.all(names.map((name) => add(team_id, name, "success")));
  expect(added.every(({ status }) => status === 200)).toBe(true);
  expect(await app.db.callback.count({ where: { teamId: team_id } })).toBe(50);
  const twice = await Promise.all([...names, ...names].map((name) => remove(team_id, name)));
  expect(twice.filter(({ status }) => status === 200)).toHaveLength(50);
  expect(twice.filter(({ status }) => status === 404)).toHaveLength(50);
  expect(await loggingOf(team_id)).not.toHaveProperty("team_info.metadata.logging");
});
