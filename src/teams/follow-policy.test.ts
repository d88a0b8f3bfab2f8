import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyKey } from "#keys/verify-key.ts";
import type { Change } from "#lib/change-feed.ts";
import { followPolicy } from "#teams/follow-policy.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp("litellm_settings: { success_callback: [langfuse] }");
});
afterAll(() => app.close());

function change(subject: string, subjectId: string, createdAt = new Date()): Change {
  return { version: 1n, subject, subjectId, createdAt };
}

async function queueRecord(teamId: string, createdAtMs: number): Promise<string> {
  const recordId = randomUUID();
  const contents = [{ body: "{}", callbackIds: [`callback of ${teamId}`] }];
  await app.delivery.append({ recordId, callId: recordId, teamId, keyHash: null, createdAtMs, contents });
  return recordId;
}

async function isQueued(id: string): Promise<boolean> {
  return (await app.delivery.find({ by: "record", id })).length > 0;
}

/** What another process writes: this one is not told by its own use cases. */
async function writeElsewhere(teamId: string, loggingState: "disabled" | "own"): Promise<void> {
  await app.db.team.update({ where: { id: teamId }, data: { loggingState } });
}

test.each([["precise" as const], ["everything" as const]])(
  "drops a key that was blocked and a team that was disabled elsewhere (%s)",
  async (how) => {
    const { team_id } = await makeTeam(app.db);
    const { key, token } = await makeKey(app.db, { team_id });
    await verifyKey(app.db, key);
    await app.db.key.update({ where: { token }, data: { blocked: true } });
    const record = await queueRecord(team_id, Date.now());
    await writeElsewhere(team_id, "disabled");
    expect((await verifyKey(app.db, key)).logging.level).toBe("global");

    const precise = [change("key", token), change("team", team_id), change("team_disabled", team_id)];
    await followPolicy(app.db, how === "precise" ? precise : how);
    await expect(verifyKey(app.db, key)).rejects.toThrow("Key is blocked");
    expect(app.delivery.isDisabled(team_id)).toBe(true);
    expect(await isQueued(record)).toBe(false);

    await writeElsewhere(team_id, "own");
    await followPolicy(app.db, how === "precise" ? [change("team", team_id)] : how);
    expect(app.delivery.isDisabled(team_id)).toBe(false);
  },
);

test("a team that was disabled and enabled again elsewhere loses the calls from before, and keeps those from after", async () => {
  const { team_id } = await makeTeam(app.db);
  const disabledAt = new Date();
  const before = await queueRecord(team_id, disabledAt.getTime() - 1);
  const after = await queueRecord(team_id, disabledAt.getTime() + 1);
  await followPolicy(app.db, [change("team_disabled", team_id, disabledAt), change("team", team_id)]);
  expect([await isQueued(before), await isQueued(after)]).toEqual([false, true]);
  expect(app.delivery.isDisabled(team_id)).toBe(false);
});

test("a team that was deleted elsewhere counts as disabled, and a deleted callback's records are suppressed", async () => {
  const { team_id } = await makeTeam(app.db);
  const other = `team-${randomUUID()}`;
  const waiting = await queueRecord(other, Date.now());
  await app.db.team.delete({ where: { id: team_id } });
  await followPolicy(app.db, [change("team_disabled", team_id), change("callback_deleted", `callback of ${other}`)]);
  expect(app.delivery.isDisabled(team_id)).toBe(true);
  expect(await app.delivery.find({ by: "record", id: waiting })).toMatchObject([{ state: "suppressed" }]);
});
