import { afterAll, beforeAll, expect, test } from "vitest";
import { addSpend } from "#gateway/spend/add-spend.ts";
import { reserveBudget, type BudgetsSeen } from "#gateway/spend/reserve-budget.ts";
import { toProxyBudget } from "#keys/call-budgets.ts";
import { readCaller } from "#keys/read-caller.ts";
import { regenerateKey } from "#keys/regenerate-key.ts";
import type { Caller } from "#keys/caller.ts";
import { parseConfig } from "#lib/config.ts";
import { newRecordId, sha256Hex } from "#lib/id.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam, masterActor } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const hour = 3_600_000;

async function callerOf(key: string): Promise<Caller> {
  const caller = await readCaller(app.db, sha256Hex(key));
  if (!caller) throw new Error("There is no such key.");
  return caller;
}

/** Reserves nothing much for a call with this key, at a time. */
async function reserve(key: string, now = new Date()): Promise<BudgetsSeen> {
  const { budgets } = await callerOf(key);
  return reserveBudget(app.db, { recordId: newRecordId(), budgets, usd: 0, now });
}

/** Books what calls with this key cost, also for those of its budgets that are for one model. */
async function spend(key: string, usd: number): Promise<void> {
  const { budgets, attribution } = await callerOf(key);
  const models = budgets.flatMap(({ scope, id, ofModel }) => (ofModel ? [{ scope, id, model: ofModel.model }] : []));
  const { keyHash, teamId, userId } = attribution;
  const spent = { key: keyHash, team: teamId, user: userId, usd, reservation: null, models };
  await addSpend(app.db, newRecordId(), [spent]);
}

test("a budget of one model ends that model's calls, begins anew in its time and outlives a new text of the key", async () => {
  const { key } = await makeKey(app.db, {
    model_max_budget: { "gpt-4o": { budget_limit: "1", time_period: "1h" }, other: { max_budget: 5 } },
  });
  await reserve(key);
  await spend(key, 1);
  await expect(reserve(key)).rejects.toThrow(
    "Budget has been exceeded! for model=gpt-4o Current cost: 1, Max budget: 1",
  );
  const { key: renewed } = await regenerateKey(app.db, masterActor, { key });
  await expect(reserve(renewed)).rejects.toThrow("for model=gpt-4o");
  await reserve(renewed, new Date(Date.now() + 2 * hour));
});

test("a member has the budget that his team gives each member unless he has his own; it begins anew as the team says", async () => {
  const { team_id } = await makeTeam(app.db, { team_member_budget: 2, team_member_budget_duration: "1h" });
  const [plain, rich] = [`plain-${newRecordId()}`, `rich-${newRecordId()}`];
  await app.db.teamMember.create({ data: { teamId: team_id, userId: plain } });
  await app.db.teamMember.create({ data: { teamId: team_id, userId: rich, maxBudget: 9 } });
  const keys = await Promise.all([plain, rich].map((user_id) => makeKey(app.db, { team_id, user_id })));
  const [ofPlain = "", ofRich = ""] = keys.map(({ key }) => key);
  for (const key of [ofPlain, ofRich]) {
    await reserve(key);
    await spend(key, 3);
  }
  await expect(reserve(ofPlain)).rejects.toThrow("Current cost: 3, Max budget: 2");
  await reserve(ofRich);
  await reserve(ofPlain, new Date(Date.now() + 2 * hour));
});

test("a soft budget stops nothing and is told", async () => {
  const { key } = await makeKey(app.db, { soft_budget: 1, max_budget: 10 });
  expect(await reserve(key)).toEqual({ keySpend: 0, softExceeded: [] });
  await spend(key, 1.5);
  expect(await reserve(key)).toMatchObject({ keySpend: 1.5, softExceeded: [{ scope: "key" }] });
});

test("what all calls together may cost ends everybody's calls, the master key's too, and begins anew in its time", async () => {
  const text = '{"litellm_settings": {"max_budget": 2, "budget_duration": "1h"}}';
  const budget = toProxyBudget(parseConfig(text, "config.yaml", {}).config);
  if (budget === null) throw new Error("There is a budget.");
  const ask = (now = new Date()) => reserveBudget(app.db, { recordId: newRecordId(), budgets: [budget], usd: 0, now });
  const models = [{ scope: budget.scope, id: budget.id, model: "*" }];
  const owners = { key: sha256Hex("sk-somebody"), team: null, user: null };
  await ask();
  await addSpend(app.db, newRecordId(), [{ ...owners, usd: 1.5, reservation: null, models }]);
  await ask();
  await addSpend(app.db, newRecordId(), [{ ...owners, key: null, usd: 0.5, reservation: null, models }]);
  await expect(ask()).rejects.toThrow("Budget has been exceeded! Current cost: 2, Max budget: 2");
  await ask(new Date(Date.now() + 2 * hour));
  expect(toProxyBudget(parseConfig('{"litellm_settings": {"max_budget": 0}}', "config.yaml", {}).config)).toBeNull();
});
