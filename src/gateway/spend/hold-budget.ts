import { LRUCache } from "lru-cache";
import type { Call } from "#gateway/call.ts";
import { findGroup } from "#gateway/choose-deployment.ts";
import { estimateCost } from "#gateway/spend/estimate-cost.ts";
import { reserveBudget } from "#gateway/spend/reserve-budget.ts";
import { spendJournalState } from "#gateway/spend/spend-journal.ts";
import { toProxyBudget, type CallBudget } from "#keys/call-budgets.ts";
import type { Caller } from "#keys/caller.ts";
import { configState } from "#lib/config.ts";
import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { currentLogger } from "#lib/logger.ts";
import { stateCell } from "#lib/state.ts";

/** How often our own log repeats that a soft budget is used up. */
const repeatMs = 3_600_000;
const warnedState = stateCell<LRUCache<string, true>>("soft-budgets-warned");

/** True where a call counts against a budget. */
export function hasBudget({ budgets }: Caller): boolean {
  return budgets.length > 0 || toProxyBudget(configState.get()) !== null;
}

/**
 * Holds back what a call may cost in the budgets of its key, team, member and user, those of the asked model included,
 * and in that of all calls together. Throws 429 where one is used up; a soft one that is used up stops nothing, and
 * answers and our own log say so.
 */
export async function holdBudget(db: Database["db"], call: Call, model: string): Promise<void> {
  const { recordId, caller, body, operation } = call.start;
  const ofAll = toProxyBudget(configState.get());
  const [deployment = null] = findGroup(caller, model);
  const names = [model, deployment?.modelName];
  const budgets = caller.budgets.filter(({ ofModel }) => ofModel === undefined || names.includes(ofModel.model));
  if (ofAll !== null) budgets.push(ofAll);
  if (budgets.length === 0) return;
  const estimate = estimateCost(operation.name, body, deployment);
  const seen = await reserveBudget(db, { recordId, budgets, ...estimate, now: new Date() }).catch((error: unknown) => {
    // After a refusal nothing is held. After any other error nobody knows, so it is given back.
    if (!(error instanceof AppError)) giveBackReservation(call);
    throw error;
  });
  call.hasReservation = true;
  call.ledger.hold(() => {
    if (!call.ledger.isSettled()) giveBackReservation(call);
  });
  call.modelBudgets = budgets.flatMap(({ scope, id, ofModel }) =>
    ofModel ? [{ scope, id, model: ofModel.model }] : [],
  );
  if (seen.keySpend !== null) call.keySpend = seen.keySpend;
  if (seen.softExceeded.length === 0) return;
  call.softExceeded = seen.softExceeded.map(({ scope }) => scope);
  for (const budget of seen.softExceeded) warnOnce(budget);
}

/** Ends the reservation of a call that cost nothing. */
function giveBackReservation({ start: { recordId } }: Call): void {
  spendJournalState.find()?.note({ key: null, team: null, user: null, usd: 0, reservation: recordId, models: [] });
}

function warnOnce({ scope, id }: CallBudget): void {
  let warned = warnedState.find();
  if (warned === undefined) warnedState.set((warned = new LRUCache({ max: 10_000, ttl: repeatMs })));
  const name = `${scope}:${id}`;
  if (warned.has(name)) return;
  warned.set(name, true);
  currentLogger().warn({ scope, id }, "a soft budget is used up; calls go on");
}
