import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { GET, POST as ADD } from "#app/(rest)/team/[team_id]/callback/route.ts";
import { POST } from "#app/(rest)/team/[team_id]/disable_logging/route.ts";
import { POST as UPDATE } from "#app/(rest)/team/update/route.ts";
import { verifyKey } from "#keys/verify-key.ts";
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

const langfuse = {
  callback_name: "langfuse",
  callback_type: "success",
  callback_vars: { langfuse_public_key: "pk-lf-1", langfuse_secret_key: "sk-lf-1" },
};

function disable(team_id: string, key?: string): Promise<TestAnswer> {
  const path = `/team/${encodeURIComponent(team_id)}/disable_logging`;
  return app.call(POST, { path, method: "POST", params: { team_id }, ...(key === undefined ? {} : { key }) });
}

function add(team_id: string): Promise<TestAnswer> {
  return app.call(ADD, { path: `/team/${encodeURIComponent(team_id)}/callback`, params: { team_id }, body: langfuse });
}

function update(team_id: string, metadata: unknown): Promise<TestAnswer> {
  return app.call(UPDATE, { path: "/team/update", body: { team_id, metadata } });
}

async function levelOf(key: string): Promise<string> {
  return (await verifyKey(app.db, key)).logging.level;
}

function entryOf(teamId: string, callbackId: string) {
  return {
    recordId: randomUUID(),
    callId: randomUUID(),
    teamId,
    keyHash: null,
    createdAtMs: Date.now(),
    contents: [{ body: "{}", callbackIds: [callbackId] }],
  };
}

test("answers the exact body, also a second time and for ids with slashes", async () => {
  const { team_id } = await makeTeam(app.db, { team_id: `org/${randomUUID()}` });
  await add(team_id);
  for (let round = 0; round < 2; round += 1) {
    expect(await disable(team_id)).toMatchObject({
      status: 200,
      body: {
        status: "success",
        message: `Logging disabled for team ${team_id}`,
        data: { team_id, success_callbacks: [], failure_callbacks: [] },
      },
    });
  }
  const listed = await app.call(GET, { path: `/team/x/callback`, params: { team_id } });
  expect(listed.body).toMatchObject({ data: { success_callbacks: [], failure_callbacks: [], callback_vars: {} } });
  expect(await app.db.auditEntry.count({ where: { objectId: team_id, action: "disable_logging" } })).toBe(1);
});

test("outdoes key, team and global callbacks at once, and purges what was waiting", async () => {
  const { team_id } = await makeTeam(app.db);
  const { key } = await makeKey(app.db, { team_id, metadata: { logging: [langfuse] } });
  expect(await levelOf(key)).toBe("key");
  const entry = entryOf(team_id, "config:global:langfuse");
  await app.delivery.append(entry);
  await disable(team_id);
  expect(await levelOf(key)).toBe("team_disabled");
  expect(app.delivery.isDisabled(team_id)).toBe(true);
  expect(await app.delivery.find({ by: "record", id: entry.recordId })).toEqual([]);
});

test("ends by a new callback or explicit ones in metadata, and by nothing else", async () => {
  const { team_id } = await makeTeam(app.db);
  const { key } = await makeKey(app.db, { team_id });
  await disable(team_id);
  const legacy = { callback_settings: { success_callback: ["langfuse"], callback_vars: {} } };
  for (const metadata of [{}, { note: "kept" }, { logging: [] }, { logging: null }, legacy]) {
    const answer = await update(team_id, metadata);
    expect(answer).toMatchObject({ status: 200, body: { data: { metadata: { logging: [] } } } });
    expect(await levelOf(key)).toBe("team_disabled");
    expect(app.delivery.isDisabled(team_id)).toBe(true);
  }
  await add(team_id);
  expect(await levelOf(key)).toBe("team");
  expect(app.delivery.isDisabled(team_id)).toBe(false);
  await disable(team_id);
  await update(team_id, { logging: [langfuse] });
  expect(await levelOf(key)).toBe("team");
  expect(app.delivery.isDisabled(team_id)).toBe(false);
});

test("leaves delivery and database of one mind when it races with a new callback", async () => {
  const { team_id } = await makeTeam(app.db);
  for (let round = 0; round < 5; round += 1) {
    await Promise.all([disable(team_id), add(team_id), disable(team_id), update(team_id, { logging: [langfuse] })]);
    const { loggingState } = await app.db.team.findUniqueOrThrow({ where: { id: team_id } });
    expect(app.delivery.isDisabled(team_id)).toBe(loggingState === "disabled");
  }
});

test("refuses unknown teams, virtual keys, and everybody where every call must be logged", async () => {
  expect(await disable("nobody")).toMatchObject({
    status: 404,
    body: { detail: { error: "Team id = nobody does not exist." } },
  });
  const { team_id } = await makeTeam(app.db);
  const { key } = await makeKey(app.db, { team_id });
  expect((await disable(team_id, key)).status).toBe(401);
  app.configure("general_settings: { must_log: true }");
  expect((await disable(team_id)).status).toBe(400);
  expect((await update(team_id, { logging: [] })).status).toBe(400);
  expect(await levelOf(key)).toBe("global");
});
