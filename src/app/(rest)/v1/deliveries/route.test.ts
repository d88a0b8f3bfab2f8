import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { GET } from "#app/(rest)/v1/deliveries/route.ts";
import { POST as discard } from "#app/(rest)/v1/deliveries/discard/route.ts";
import { POST as replay } from "#app/(rest)/v1/deliveries/replay/route.ts";
import type { Route } from "#http/route.ts";
import { newRecordId } from "#lib/id.ts";
import { keyringState } from "#lib/seal.ts";
import { deliveryState } from "#logging/delivery.ts";
import type { Queue } from "#logging/queue/queue.ts";
import { DeliveryPage } from "#teams/list-deliveries.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam, makeUser } from "#testing/make.ts";
import { makeLocalHome } from "#testing/queue-engines.ts";
import { makeTestDelivery } from "#testing/test-delivery.ts";

let app: TestApp;
let queue: Queue;
const home = makeLocalHome();

beforeAll(async () => {
  app = await startApp("litellm_settings: { success_callback: [langfuse] }");
  expect(keyringState.find()).toBeDefined();
  queue = await home.open();
  await deliveryState.get().stop(0);
  deliveryState.set(makeTestDelivery(queue));
});

afterAll(async () => {
  await app.close();
  await home.remove();
});

/** A team, its administrator's key, a member's key, and two dead letters and one pending delivery of its calls. */
async function makeTeamWithDeadLetters() {
  const [owner, member] = [await makeUser(app.db), await makeUser(app.db)];
  const team = await makeTeam(app.db, {
    members_with_roles: [
      { user_id: owner, role: "admin" },
      { user_id: member, role: "user" },
    ],
  });
  const callbackId = `config:team:${randomUUID()}:langfuse`;
  const recordIds = [newRecordId(), newRecordId(), newRecordId()];
  for (const [index, recordId] of recordIds.entries()) {
    const contents = [{ body: "{}", callbackIds: [callbackId] }];
    const createdAtMs = Date.parse("2026-01-01T00:00:00Z") + index * 3_600_000;
    await queue.append([{ recordId, callId: recordId, teamId: team.team_id, keyHash: null, createdAtMs, contents }]);
  }
  const claimed = await queue.claim({ callbackId, limit: 2, bytesMax: 1e6, leaseMs: 1, nowMs: Date.now() });
  await queue.settle(
    claimed.map(
      ({ deliveryId }, index) =>
        ({
          ...{ deliveryId, state: "dead", status: index === 0 ? 400 : 413, message: "no" },
        }) as const,
    ),
    Date.now(),
  );
  const keyOf = async (userId: string) => (await makeKey(app.db, { user_id: userId })).key;
  return { teamId: team.team_id, callbackId, recordIds, owner: await keyOf(owner), member: await keyOf(member) };
}

async function list(query: Record<string, string>, key?: string): Promise<DeliveryPage> {
  const path = `/v1/deliveries?${new URLSearchParams(query).toString()}`;
  const answer = await app.call(GET, { path, ...(key === undefined ? {} : { key }) });
  expect(answer.status).toBe(200);
  return DeliveryPage.parse(answer.body);
}

async function count(route: Route, body: object, key?: string): Promise<number> {
  const answer = await app.call(route, { path: "/v1/deliveries/replay", body, ...(key === undefined ? {} : { key }) });
  expect(answer.status).toBe(200);
  return z.object({ count: z.number() }).parse(answer.body).count;
}

test("a team's administrator lists, searches, replays and discards its dead letters, and nobody else's", async () => {
  const { teamId, callbackId, recordIds, owner } = await makeTeamWithDeadLetters();
  const other = await makeTeamWithDeadLetters();
  const mine = await list({}, owner);
  expect(mine.deliveries.map((delivery) => [delivery.record_id, delivery.state, delivery.team_id])).toEqual([
    [recordIds[2], "queued", teamId],
    [recordIds[1], "dead", teamId],
    [recordIds[0], "dead", teamId],
  ]);
  const search = { state: "dead", callback_id: callbackId, error_class: "too_large", from: "2026-01-01T01:00:00Z" };
  expect((await list(search, owner)).deliveries.map((delivery) => delivery.record_id)).toEqual([recordIds[1]]);
  expect((await list({ ...search, to: "2026-01-01T01:00:00Z" }, owner)).deliveries).toEqual([]);
  expect(await count(replay, { error_class: "too_large" }, owner)).toBe(1);
  expect(await count(discard, { team_id: teamId, record_ids: [...recordIds, ...other.recordIds] }, owner)).toBe(1);
  expect((await list({ team_id: teamId }, owner)).deliveries.map(({ state }) => state)).toEqual([
    "queued",
    "retrying",
    "suppressed",
  ]);
  expect((await list({ team_id: other.teamId, state: "dead" })).deliveries).toHaveLength(2);
  const audit = await app.db.auditEntry.findMany({
    where: { objectId: { in: [teamId, "all"] }, objectType: "delivery" },
    select: { action: true },
  });
  expect(audit.map(({ action }) => action)).toEqual(
    expect.arrayContaining(["replay_deliveries", "discard_deliveries"]),
  );
});

test("pages hold what they are asked for, and every delivery is on one of them", async () => {
  const { teamId, recordIds } = await makeTeamWithDeadLetters();
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page: DeliveryPage = await list({ team_id: teamId, limit: "2", ...(cursor === null ? {} : { cursor }) });
    seen.push(...page.deliveries.map((delivery) => delivery.record_id));
    cursor = page.next_cursor;
  } while (cursor !== null);
  expect(seen).toEqual(recordIds.toReversed());
});

test("members, other teams' administrators and viewers change nothing, and a foreign team looks like none", async () => {
  const { teamId, member } = await makeTeamWithDeadLetters();
  const stranger = (await makeTeamWithDeadLetters()).owner;
  const viewer = await makeUser(app.db, "proxy_admin_viewer");
  const { key: viewerKey } = await makeKey(app.db, { user_id: viewer });
  expect((await list({ team_id: teamId, state: "dead" }, viewerKey)).deliveries).toHaveLength(2);
  expect((await list({}, member)).deliveries).toEqual([]);
  expect(await count(replay, { all: true }, member)).toBe(0);
  for (const key of [member, stranger, viewerKey]) {
    for (const route of [replay, discard]) {
      const answer = await app.call(route, { path: "/v1/deliveries/replay", body: { team_id: teamId }, key });
      expect([401, 403]).toContain(answer.status);
    }
  }
  const foreign = await app.call(GET, { path: `/v1/deliveries?team_id=${teamId}`, key: stranger });
  const missing = await app.call(GET, { path: "/v1/deliveries?team_id=nobody", key: stranger });
  expect(foreign.status).toBe(403);
  expect(foreign.text).toBe(missing.text);
  expect((await list({ team_id: teamId, state: "dead" })).deliveries).toHaveLength(2);
});

test.each([{}, { recordids: ["typing error"] }, { record_ids: [] }, { error_class: "unknown" }])(
  "a selection that names nothing, or something unknown, is refused: %j",
  async (body) => {
    for (const route of [replay, discard]) {
      const answer = await app.call(route, { path: "/v1/deliveries/replay", body });
      expect([400, 422]).toContain(answer.status);
    }
  },
);
