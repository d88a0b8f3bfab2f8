import { afterAll, beforeAll, expect, test } from "vitest";
import { POST } from "#app/(rest)/v1/deliveries/backfill/route.ts";
import { POST as addCallback } from "#app/(rest)/team/[team_id]/callback/route.ts";
import { newRecordId } from "#lib/id.ts";
import { answerDelivery } from "#logging/answer-delivery.ts";
import { deliveryState } from "#logging/delivery.ts";
import { encodeRecord } from "#logging/queued-record.ts";
import type { Queue } from "#logging/queue/queue.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeRecord } from "#testing/make-record.ts";
import { makeKey, makeTeam, makeUser } from "#testing/make.ts";
import { makeLocalHome } from "#testing/queue-engines.ts";
import { makeTestDelivery } from "#testing/test-delivery.ts";

let app: TestApp;
let queue: Queue;
const home = makeLocalHome();
const kept = "retention: { content_hours: 2 }";

beforeAll(async () => {
  app = await startApp(kept);
  queue = await home.open({ keepsContent: true });
  await deliveryState.get().stop(0);
  const { target } = answerDelivery(app.db, {});
  deliveryState.set(makeTestDelivery(queue, (callbackId, whose) => target({ callbackId, ...whose })));
});

afterAll(async () => {
  await app.close();
  await home.remove();
});

const callback_vars = { langfuse_public_key: "pk-lf-1", langfuse_secret_key: "sk-lf-1" };

/** A team with a destination, its administrator's key, and the id of the destination. */
async function makeTeamWithDestination(fields: Record<string, unknown> = {}) {
  const owner = await makeUser(app.db);
  const team = await makeTeam(app.db, { members_with_roles: [{ user_id: owner, role: "admin" }], ...fields });
  const path = `/team/${team.team_id}/callback`;
  const params = { team_id: team.team_id };
  const added = await app.call(addCallback, { path, params, body: { callback_name: "langfuse", callback_vars } });
  expect(added.status).toBe(200);
  const where = { teamId: team.team_id };
  const { id: callbackId } = await app.db.callback.findFirstOrThrow({ where, select: { id: true } });
  return { teamId: team.team_id, callbackId, key: (await makeKey(app.db, { user_id: owner })).key };
}

/** A log of a team that waits for a destination of before. */
async function keep(teamId: string | null, keyHash: string | null = null, ageHours = 0): Promise<string> {
  const recordId = newRecordId();
  const body = encodeRecord({ record: { ...makeRecord(), recordId }, liftedFrom: null });
  const createdAtMs = Date.now() - ageHours * 3_600_000;
  const contents = [{ body, callbackIds: ["config:global:local_files"] }];
  await queue.append([{ recordId, callId: recordId, teamId, keyHash, createdAtMs, contents }]);
  return recordId;
}

function backfill(body: object, key?: string) {
  return app.call(POST, { path: "/v1/deliveries/backfill", body, ...(key === undefined ? {} : { key }) });
}

test("a team's administrator sends its kept logs to its destination, as far as they are kept, and it is in the audit", async () => {
  const { teamId, callbackId, key } = await makeTeamWithDestination();
  await keep(teamId);
  await keep(teamId, null, 1.5);
  await keep(teamId, null, 3);
  await keep(null);
  const last = { callback_id: callbackId, hours: 1 };
  expect((await backfill({ ...last, dry_run: true }, key)).body).toMatchObject({ count: 1, next_cursor: null });
  expect((await backfill(last, key)).body).toMatchObject({ count: 1, skipped: 0 });
  expect((await backfill({ ...last, team_id: teamId, hours: 500 }, key)).body).toMatchObject({ count: 1 });
  expect(await queue.find({ by: "counts" })).toContainEqual({ callbackId, state: "pending", count: 2 });
  const where = { objectId: teamId, action: "backfill_deliveries" };
  const entries = await app.db.auditEntry.findMany({ where, select: { after: true } });
  expect(entries.map(({ after }) => after)).toEqual([
    expect.objectContaining({ callback_id: callbackId, count: 1 }),
    expect.objectContaining({ callback_id: callbackId, count: 1 }),
  ]);
});

test("a key's destination gets that key's logs alone, and the team's none of a key that has its own or is gone", async () => {
  const { teamId, callbackId, key } = await makeTeamWithDestination();
  const logging = [{ callback_name: "langfuse", callback_vars }];
  const own = await makeKey(app.db, { team_id: teamId, metadata: { logging } });
  const plain = await makeKey(app.db, { team_id: teamId });
  const disabled = await makeKey(app.db, { team_id: teamId, metadata: { logging: [] } });
  await keep(teamId, own.token);
  await keep(teamId, plain.token);
  await keep(teamId, disabled.token);
  await keep(teamId, "hash of a deleted key");
  const where = { keyToken: own.token };
  const { id: ofKey } = await app.db.callback.findFirstOrThrow({ where, select: { id: true } });
  expect((await backfill({ callback_id: ofKey, hours: 1 }, key)).body).toMatchObject({ count: 1, skipped: 0 });
  expect((await backfill({ callback_id: callbackId, hours: 1 }, key)).body).toMatchObject({ count: 1, skipped: 3 });
});

test("a key that does not want a destination by now is heard, also for what it called before, unless its logs must be kept", async () => {
  const { teamId, callbackId, key } = await makeTeamWithDestination();
  const unwanted = { litellm_disabled_callbacks: ["Langfuse"] };
  const silent = await makeKey(app.db, { team_id: teamId, metadata: unwanted });
  const heard = await makeKey(app.db, { team_id: teamId, metadata: { litellm_disabled_callbacks: ["webhook"] } });
  await keep(teamId, silent.token);
  await keep(teamId, heard.token);
  const request = { callback_id: callbackId, hours: 1 };
  expect((await backfill(request, key)).body).toMatchObject({ count: 1, skipped: 1 });
  app.configure(`${kept}\ngeneral_settings: { must_log: true }`);
  const forced = await backfill(request, key);
  app.configure(kept);
  expect(forced.body).toMatchObject({ count: 1, skipped: 0 });
});

test("a destination of config.yaml gets the logs of the team that is named, or its own, from proxy administrators alone", async () => {
  const { team_id: own } = await makeTeam(app.db);
  const owner = await makeUser(app.db);
  const { team_id: plain } = await makeTeam(app.db, { members_with_roles: [{ user_id: owner, role: "admin" }] });
  const { key } = await makeKey(app.db, { user_id: owner });
  await keep(own);
  await keep(plain);
  await keep(plain);
  const settings = `{ team_id: ${JSON.stringify(own)}, success_callback: [webhook] }`;
  const litellm = `litellm_settings: { success_callback: [langfuse], default_team_settings: [${settings}] }`;
  app.configure(`${kept}\n${litellm}`);
  const everybodys = { callback_id: "config:global:langfuse", hours: 1 };
  const teams = { callback_id: `config:team:${own}:webhook`, hours: 1 };
  const answers = [
    await backfill({ ...everybodys, team_id: plain }, key),
    await backfill({ ...everybodys, team_id: plain }),
    await backfill({ ...everybodys, team_id: own }),
    await backfill({ ...everybodys, callback_id: "config:global:webhook" }),
    await backfill({ ...teams, team_id: plain }),
    await backfill(teams),
  ];
  app.configure(kept);
  expect(answers.map(({ status }) => status)).toEqual([404, 200, 200, 404, 404, 200]);
  expect(answers[1]?.body).toMatchObject({ count: 2, skipped: 0 });
  expect(answers[2]?.body).toMatchObject({ count: 0, skipped: 1 });
  expect(answers[5]?.body).toMatchObject({ count: 1, skipped: 0 });
});

test("a destination that is not the caller's looks like none, and a team that is not his is refused", async () => {
  const mine = await makeTeamWithDestination();
  const theirs = await makeTeamWithDestination();
  await keep(theirs.teamId);
  const foreign = await backfill({ callback_id: theirs.callbackId, hours: 1 }, mine.key);
  const missing = await backfill({ callback_id: newRecordId(), hours: 1 }, mine.key);
  expect([foreign.status, missing.status]).toEqual([404, 404]);
  expect(foreign.text).toBe(missing.text);
  expect((await backfill({ team_id: mine.teamId, callback_id: theirs.callbackId, hours: 1 }, mine.key)).status).toBe(
    404,
  );
  expect((await backfill({ team_id: theirs.teamId, callback_id: theirs.callbackId, hours: 1 }, mine.key)).status).toBe(
    403,
  );
  const unknown = { callback_id: mine.callbackId, hours: 1, recordids: ["typing error"] };
  expect([400, 422]).toContain((await backfill(unknown, mine.key)).status);
});

test("where nothing is kept it is refused with the setting to change", async () => {
  const { callbackId } = await makeTeamWithDestination();
  app.configure("{}");
  const answer = await backfill({ callback_id: callbackId, hours: 1 });
  app.configure(kept);
  expect(answer.status).toBe(400);
  expect(answer.text).toContain("retention.content_hours");
});
