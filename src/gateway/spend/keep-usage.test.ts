import { afterAll, beforeAll, expect, test } from "vitest";
import { keepUsage } from "#gateway/spend/keep-usage.ts";
import { addUsage, countUsage, takeUsage } from "#gateway/spend/usage-counts.ts";
import { newRecordId } from "#lib/id.ts";
import type { LogRecord } from "#logging/record.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeRecord } from "#testing/make-record.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const select = { calls: true, failures: true, promptTokens: true, completionTokens: true, usd: true, model: true };

function callOf(teamId: string, changes: Partial<LogRecord>): LogRecord {
  const record = makeRecord();
  const usage = { ...record.usage, promptTokens: 10, completionTokens: 3 };
  const caller = { ...record.caller, teamId, keyHash: "k" };
  return { ...record, usage, caller, provider: "openai", modelGroup: "m", responseCostUsd: 0.5, ...changes };
}

test("calls are added up by day, key and model, and a second time on top of the first", async () => {
  takeUsage();
  const teamId = newRecordId();
  countUsage(callOf(teamId, { status: "success" }));
  countUsage(callOf(teamId, { status: "failure", responseCostUsd: 0 }));
  await keepUsage(app.db);
  countUsage(callOf(teamId, { status: "success" }));
  await keepUsage(app.db);
  await keepUsage(app.db);
  expect(await app.db.usageDay.findMany({ where: { teamId }, select })).toEqual([
    { model: "m", calls: 3, failures: 1, promptTokens: 30n, completionTokens: 9n, usd: 1 },
  ]);
});

test("a name that no model has is not kept: clients could fill the database with them", async () => {
  takeUsage();
  const teamId = newRecordId();
  for (const modelGroup of ["made-up-1", "made-up-2"]) {
    countUsage(callOf(teamId, { status: "failure", provider: null, modelGroup }));
  }
  await keepUsage(app.db);
  const rows = await app.db.usageDay.findMany({ where: { teamId }, select: { model: true, calls: true } });
  expect(rows).toEqual([{ model: "", calls: 2 }]);
});

test("the master key's calls are nobody's usage", () => {
  takeUsage();
  const record = callOf("t", {});
  countUsage({ ...record, caller: { ...record.caller, keyHash: null } });
  expect(takeUsage()).toEqual([]);
});

test("what the database does not take is counted on", async () => {
  takeUsage();
  const teamId = newRecordId();
  countUsage(callOf(teamId, {}));
  const [good] = takeUsage();
  if (!good) throw new Error("One call was counted.");
  addUsage(good);
  addUsage({ ...good, day: "no day" });
  await expect(keepUsage(app.db)).rejects.toThrow();
  countUsage(callOf(teamId, {}));
  const kept = takeUsage().filter(({ day }) => day !== "no day");
  expect(kept).toEqual([expect.objectContaining({ team: teamId, calls: 2 })]);
  expect(await app.db.usageDay.count({ where: { teamId } })).toBe(0);
});
