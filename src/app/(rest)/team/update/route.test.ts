import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { POST } from "#app/(rest)/team/update/route.ts";
import { verifyKey } from "#keys/verify-key.ts";
import { newRecordId } from "#lib/id.ts";
import { keyringState, makeKeyring } from "#lib/seal.ts";
import { resolveCallback } from "#logging/resolve-callback.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";
import { shownSecret } from "#testing/shown-secret.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
beforeEach(() => {
  app.configure("{}");
});
afterAll(() => app.close());

const mask = "***REDACTED***";
const vars = { langfuse_public_key: "pk-lf-u", langfuse_secret_key: "sk-lf-u" };
const maskedVars = { langfuse_public_key: mask, langfuse_secret_key: mask };
const shownVars = { langfuse_public_key: shownSecret(), langfuse_secret_key: shownSecret() };
const langfuse = { callback_name: "langfuse", callback_type: "success", callback_vars: vars };

const TeamUpdated = z.object({ data: z.object({ metadata: z.object({ logging: z.array(z.json()) }) }) });

function update(body: unknown): Promise<TestAnswer> {
  return app.call(POST, { path: "/team/update", body });
}

async function callbacksOf(teamId: string) {
  return app.db.callback.findMany({ where: { teamId }, orderBy: { position: "asc" } });
}

async function secretOf(callbackId: string) {
  const resolved = await resolveCallback(app.db, callbackId, {});
  return resolved.state === "ready" ? resolved.vars["langfuse_secret_key"] : resolved.state;
}

test("changes what is given and keeps the rest", async () => {
  const { team_id } = await makeTeam(app.db, {
    team_alias: "Blue",
    max_budget: 5,
    metadata: { logging: [langfuse], a: 1 },
  });
  const answer = await update({ team_id, models: ["gpt-4"], max_budget: null });
  expect(answer.body).toMatchObject({
    team_id,
    data: {
      team_id,
      team_alias: "Blue",
      models: ["gpt-4"],
      max_budget: null,
      metadata: { a: 1, logging: [{ callback_vars: shownVars }] },
    },
  });
});

test("keeps secrets where masks come back, and the id; a change raises the version", async () => {
  const { team_id } = await makeTeam(app.db, { metadata: { logging: [langfuse] } });
  const [before] = await callbacksOf(team_id);
  await update({ team_id, metadata: { logging: [{ ...langfuse, callback_vars: maskedVars }] } });
  expect(await callbacksOf(team_id)).toEqual([before]);
  const callback_vars = { ...maskedVars, turn_off_message_logging: true };
  await update({ team_id, metadata: { logging: [{ ...langfuse, callback_type: "failure", callback_vars }] } });
  const [after] = await callbacksOf(team_id);
  expect(after).toMatchObject({ id: before?.id, version: 2, callbackType: "failure" });
  expect(await secretOf(after?.id ?? "")).toBe("sk-lf-u");
});

test("clears secrets when the host changes, and asks for both halves again", async () => {
  const { team_id } = await makeTeam(app.db, { metadata: { logging: [langfuse] } });
  const host = "https://us.cloud.langfuse.com";
  const half = { ...maskedVars, langfuse_secret_key: "sk-new", langfuse_host: host };
  const refused = await update({ team_id, metadata: { logging: [{ ...langfuse, callback_vars: half }] } });
  expect(refused.status).toBe(400);
  expect(refused.body).toMatchObject({ error: { param: "metadata.logging[0].callback_vars.langfuse_public_key" } });
  const moved = await update({
    team_id,
    metadata: { logging: [{ ...langfuse, callback_vars: { ...maskedVars, langfuse_host: host } }] },
  });
  expect(moved.status).toBe(200);
  const [row] = await callbacksOf(team_id);
  expect(row).toMatchObject({ version: 2, callbackVars: { langfuse_host: host } });
  expect(row?.callbackVars).toEqual({ langfuse_host: host });
});

test("destroys no secrets that the keyring cannot open now, and takes new ones in their place", async () => {
  const { team_id } = await makeTeam(app.db, { metadata: { logging: [langfuse] } });
  const before = await callbacksOf(team_id);
  const keyring = keyringState.get();
  try {
    keyringState.set(makeKeyring(["another-encryption-key-0123456789"]));
    await update({ team_id, metadata: { logging: [{ ...langfuse, callback_vars: maskedVars }] } });
    expect(await callbacksOf(team_id)).toEqual(before);
    await update({ team_id, metadata: { logging: [langfuse] } });
    const [row] = await callbacksOf(team_id);
    expect(row?.version).toBe(2);
    expect(await secretOf(row?.id ?? "")).toBe("sk-lf-u");
  } finally {
    keyringState.set(keyring);
  }
});

test("matches several entries of one kind in their order", async () => {
  const second = { ...langfuse, callback_vars: { langfuse_public_key: "pk-2", langfuse_secret_key: "sk-2" } };
  const { team_id } = await makeTeam(app.db, { metadata: { logging: [langfuse, second] } });
  const before = await callbacksOf(team_id);
  const kept = { ...langfuse, callback_vars: maskedVars };
  await update({ team_id, metadata: { logging: [kept, { ...kept, callback_type: "failure" }, kept] } });
  const after = await callbacksOf(team_id);
  expect([after[0]?.id, after[2]?.id]).toEqual(before.map((row) => row.id));
  expect(await secretOf(after[0]?.id ?? "")).toBe("sk-lf-u");
  expect(await secretOf(after[2]?.id ?? "")).toBe("sk-2");
});

test("knows entries by what it showed of their secrets, also in another order, and audits without a trace of them", async () => {
  const logging = ["one", "two"].map((name) => ({
    callback_name: "langfuse",
    callback_vars: { langfuse_public_key: `pk-lf-${name}-${name}`, langfuse_secret_key: `sk-lf-${name}-${name}` },
  }));
  const { team_id } = await makeTeam(app.db, { metadata: { logging } });
  const before = await callbacksOf(team_id);
  const read = TeamUpdated.parse((await update({ team_id, team_alias: "read" })).body);
  await update({ team_id, metadata: { logging: read.data.metadata.logging.toReversed() } });
  const after = await callbacksOf(team_id);
  expect(after.map(({ id, version }) => [id, version])).toEqual(
    before.toReversed().map(({ id, version }) => [id, version]),
  );
  expect(await secretOf(after[0]?.id ?? "")).toBe("sk-lf-two-two");
  const entries = JSON.stringify(await app.db.auditEntry.findMany({ where: { objectId: team_id } }));
  expect(entries).toContain(mask);
  expect(entries).not.toContain("fingerprint");
});

test("deletes what is not named any more and suppresses what waits for it", async () => {
  const { team_id } = await makeTeam(app.db, { metadata: { logging: [langfuse] } });
  const { key } = await makeKey(app.db, { team_id });
  const [row] = await callbacksOf(team_id);
  const recordId = newRecordId();
  await app.delivery.append({
    recordId,
    callId: recordId,
    teamId: team_id,
    keyHash: null,
    createdAtMs: Date.now(),
    contents: [{ body: "{}", callbackIds: [row?.id ?? ""] }],
  });
  const answer = await update({ team_id, metadata: {} });
  expect(answer.body).toMatchObject({ data: { metadata: {} } });
  expect(answer.text).not.toContain("logging");
  expect(await callbacksOf(team_id)).toEqual([]);
  expect(await app.delivery.find({ by: "record", id: recordId })).toMatchObject([{ state: "suppressed" }]);
  expect((await verifyKey(app.db, key)).logging.level).toBe("global");
});

test("writes nothing at all where one entry does not fit", async () => {
  const { team_id } = await makeTeam(app.db, { team_alias: "old", metadata: { logging: [langfuse] } });
  const bad = { callback_name: "langfuse", callback_vars: { langfuse_public_key: "pk" } };
  const answer = await update({ team_id, team_alias: "new", metadata: { logging: [langfuse, bad] } });
  expect(answer.status).toBe(400);
  expect(answer.text).toContain("metadata.logging[1]");
  expect(await callbacksOf(team_id)).toHaveLength(1);
  expect(await app.db.team.findUnique({ where: { id: team_id } })).toMatchObject({ alias: "old" });
});

test("loses nothing where callbacks are replaced by several at once", async () => {
  const { team_id } = await makeTeam(app.db);
  const answers = await Promise.all(
    Array.from({ length: 6 }, () => update({ team_id, metadata: { logging: [langfuse] } })),
  );
  expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 200));
  expect(await callbacksOf(team_id)).toHaveLength(1);
});

test("blocks a team's keys at once, and keeps redaction until it is cleared", async () => {
  const { team_id } = await makeTeam(app.db);
  const { key } = await makeKey(app.db, { team_id });
  await verifyKey(app.db, key);
  const blocked = await update({ team_id, blocked: true, redaction: "metadata_only" });
  expect(blocked.body).toMatchObject({ data: { blocked: true, redaction: "metadata_only" } });
  await expect(verifyKey(app.db, key)).rejects.toThrow("is blocked");
  const open = await update({ team_id, blocked: false, redaction: null });
  expect(open.body).toMatchObject({ data: { blocked: false, redaction: null } });
  await expect(verifyKey(app.db, key)).resolves.toMatchObject({ teamId: team_id });
});

test("answers 404 for an unknown team and 422 without an id", async () => {
  expect(await update({ team_id: "nobody" })).toMatchObject({
    status: 404,
    body: { detail: { error: "Team not found, passed team_id=nobody" } },
  });
  expect(await update({})).toMatchObject({ status: 422, body: { detail: [{ loc: ["body", "team_id"] }] } });
});
