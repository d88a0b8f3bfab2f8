import { afterAll, beforeAll, expect, test } from "vitest";
import { addSpend } from "#gateway/spend/add-spend.ts";
import type { Spent } from "#gateway/spend/spent.ts";
import { sha256Hex } from "#lib/id.ts";
import { newRecordId } from "#lib/id.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

test("a batch is added once to its key, team and member, however often it comes", async () => {
  const { team_id: team } = await makeTeam(app.db);
  const user = `user-${newRecordId()}`;
  await app.db.teamMember.create({ data: { teamId: team, userId: user } });
  const made = await makeKey(app.db, { team_id: team });
  const key = sha256Hex(made.key);
  const spent: Spent[] = [
    { key, team, user, usd: 0.25, reservation: null, models: [] },
    { key, team, user: null, usd: 0.5, reservation: null, models: [] },
    { key: "nobody's", team: "none", user: "none", usd: 1, reservation: null, models: [] },
  ];
  const batchId = newRecordId();
  await Promise.all([addSpend(app.db, batchId, spent), addSpend(app.db, batchId, spent)]);
  await addSpend(app.db, batchId, spent);
  expect(await app.db.key.findUnique({ where: { token: key }, select: { spend: true } })).toEqual({ spend: 0.75 });
  expect(await app.db.team.findUnique({ where: { id: team }, select: { spend: true } })).toEqual({ spend: 0.75 });
  expect(await app.db.teamMember.findFirst({ where: { userId: user }, select: { spend: true } })).toEqual({
    spend: 0.25,
  });
});
