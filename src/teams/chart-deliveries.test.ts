import { afterAll, beforeAll, expect, test } from "vitest";
import { newRecordId } from "#lib/id.ts";
import { deliveryState } from "#logging/delivery.ts";
import { chartDeliveries } from "#teams/chart-deliveries.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeTeam, masterActor } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const hourMs = 3_600_000;
const nowMs = Math.floor(Date.now() / (3 * hourMs)) * 3 * hourMs + 1_000;

async function append(teamId: string, callbackId: string, createdAtMs: number): Promise<void> {
  const recordId = newRecordId();
  const contents = [{ body: "{}", callbackIds: [callbackId] }];
  await deliveryState.get().append({ recordId, callId: recordId, teamId, keyHash: null, createdAtMs, contents });
}

test("counts a team's deliveries in bars from the oldest until now, or those of one callback", async () => {
  const { team_id: teamId } = await makeTeam(app.db);
  const [one, other] = [newRecordId(), newRecordId()];
  await append(teamId, one, nowMs - 30 * hourMs);
  await append(teamId, one, nowMs - 2_000);
  await append(teamId, other, nowMs);
  await append(newRecordId(), one, nowMs);
  const all = await chartDeliveries(app.db, masterActor, { teamId, callbackId: null, nowMs });
  expect(all).toMatchObject({ counted: 3, isAll: true, barMs: 3 * hourMs });
  expect(all.bars).toHaveLength(11);
  const totals = all.bars.map((bar) => bar.pending + bar.dead + bar.delivered + bar.suppressed);
  expect(totals).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
  const own = await chartDeliveries(app.db, masterActor, { teamId, callbackId: other, nowMs });
  expect(own).toMatchObject({ counted: 1, barMs: 60_000 });
  expect(own.bars).toHaveLength(1);
});

test("a team without deliveries has no bars", async () => {
  const { team_id: teamId } = await makeTeam(app.db);
  const chart = await chartDeliveries(app.db, masterActor, { teamId, callbackId: null });
  expect(chart).toMatchObject({ counted: 0, isAll: true, bars: [], lag_ms: null, last_delivered_at: null });
});

test("a foreign team is refused", async () => {
  const { team_id: teamId } = await makeTeam(app.db);
  const stranger = { ...masterActor, role: "internal_user", userId: newRecordId() } as const;
  await expect(chartDeliveries(app.db, stranger, { teamId, callbackId: null })).rejects.toMatchObject({
    code: "forbidden",
  });
});
