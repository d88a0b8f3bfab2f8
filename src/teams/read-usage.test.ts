import { afterAll, beforeAll, expect, test } from "vitest";
import { newRecordId } from "#lib/id.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";
import { readUsage } from "#teams/read-usage.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const now = new Date("2026-03-10T12:00:00Z");

function row(teamId: string, keyToken: string, fields: { day: string; model?: string; usd?: number }) {
  const figures = { calls: 2, failures: 1, promptTokens: 10n, completionTokens: 5n };
  return { teamId, keyToken, model: fields.model ?? "m", usd: fields.usd ?? 1, ...figures, day: new Date(fields.day) };
}

test("sums a team's days, models and keys, and neither older days nor other teams", async () => {
  const { team_id: teamId } = await makeTeam(app.db, { team_alias: "Search" });
  const alias = `crawler-${newRecordId()}`;
  const { token } = await makeKey(app.db, { team_id: teamId, key_alias: alias });
  const former = newRecordId();
  await app.db.formerToken.create({ data: { token: former, keyToken: token } });
  await app.db.usageDay.createMany({
    data: [
      row(teamId, token, { day: "2026-03-10" }),
      row(teamId, former, { day: "2026-03-08", usd: 0.25 }),
      row(teamId, "gone", { day: "2026-03-08", model: "dear", usd: 9 }),
      row(teamId, token, { day: "2026-03-07" }),
      row(newRecordId(), token, { day: "2026-03-10" }),
    ],
  });
  const report = await readUsage(app.db, { teamId, days: 3, now });
  const figures = { calls: 2, failures: 1, prompt_tokens: 10, completion_tokens: 5 };
  expect(report).toMatchObject({
    from: "2026-03-08",
    to: "2026-03-10",
    total: { calls: 6, failures: 3, prompt_tokens: 30, completion_tokens: 15, usd: 10.25 },
    days: [
      { day: "2026-03-08", calls: 4, usd: 9.25 },
      { day: "2026-03-09", calls: 0, usd: 0 },
      { day: "2026-03-10", ...figures, usd: 1 },
    ],
    models: [
      { model: "dear", usd: 9 },
      { model: "m", usd: 1.25 },
    ],
    teams: [{ team_id: teamId, team_alias: "Search", usd: 10.25 }],
  });
  // A rotated key is one key.
  expect(report.keys).toEqual([
    { token: "gone", name: null, ...figures, usd: 9 },
    { token, name: alias, calls: 4, failures: 2, prompt_tokens: 20, completion_tokens: 10, usd: 1.25 },
  ]);
});

test("a team without a call has its days all the same", async () => {
  const report = await readUsage(app.db, { teamId: newRecordId(), days: 2, now });
  expect(report.days.map(({ day, calls }) => [day, calls])).toEqual([
    ["2026-03-09", 0],
    ["2026-03-10", 0],
  ]);
  expect(report.models).toEqual([]);
});

test("what is added to today is in a report that is read again", async () => {
  const { team_id: teamId } = await makeTeam(app.db);
  await app.db.usageDay.createMany({
    data: [row(teamId, "k", { day: "2026-03-10" }), row(teamId, "k", { day: "2026-03-09", usd: 5 })],
  });
  const first = await readUsage(app.db, { teamId, days: 7, now });
  expect([first.total.usd, first.keys[0]?.usd, first.models[0]?.calls]).toEqual([6, 6, 4]);
  await app.db.usageDay.create({ data: row(teamId, "l", { day: "2026-03-10", usd: 2 }) });
  const second = await readUsage(app.db, { teamId, days: 7, now });
  expect([second.total.usd, second.total.calls, second.keys.map(({ token }) => token)]).toEqual([8, 6, ["k", "l"]]);
});
