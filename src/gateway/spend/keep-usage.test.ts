import { randomBytes } from "node:crypto";
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

test("a row that the database refuses keeps no other one out, of whatever team, and is reported", async () => {
  takeUsage();
  const [teamId, otherTeamId] = [newRecordId(), newRecordId()];
  for (const id of [teamId, otherTeamId]) countUsage(callOf(id, {}));
  const [good] = takeUsage();
  if (!good) throw new Error("One call was counted.");
  const poison = [
    { model: "a\0b" },
    { model: randomBytes(4_000).toString("base64") },
    { day: "no day" },
    { promptTokens: 1e300 },
    { promptTokens: 1.5 },
    { calls: 3e9 },
    { team: `${teamId}\0` },
  ];
  for (const bad of poison) {
    addUsage({ ...good, model: "poison", ...bad });
    for (const team of [teamId, otherTeamId]) addUsage({ ...good, team });
    await keepUsage(app.db);
    expect(takeUsage()).toEqual([]);
  }
  for (const team of [teamId, otherTeamId]) {
    const rows = await app.db.usageDay.findMany({ where: { teamId: team }, select: { calls: true, model: true } });
    expect(rows).toEqual([{ model: "m", calls: poison.length }]);
  }
});

test("what the database cannot store now is counted on, once", async () => {
  takeUsage();
  const teamId = newRecordId();
  countUsage(callOf(teamId, {}));
  countUsage(callOf(teamId, { modelGroup: "other" }));
  const fail = () => Promise.reject(Object.assign(new Error("gone"), { code: "57P01" }));
  const db = new Proxy(app.db, {
    get: (target, name): unknown => (name === "$executeRaw" ? fail : Reflect.get(target, name)),
  });
  await expect(keepUsage(db)).rejects.toThrow("gone");
  countUsage(callOf(teamId, {}));
  expect(takeUsage()).toEqual([
    expect.objectContaining({ team: teamId, model: "m", calls: 2 }),
    expect.objectContaining({ team: teamId, model: "other", calls: 1 }),
  ]);
});
