import { readBudget, type BudgetState } from "#gateway/spend/read-budget.ts";
import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction, lockName } from "#lib/in-transaction.ts";
import type { CallBudget } from "#keys/call-budgets.ts";

/** What a call wants to hold back, until when at most, and in whose budgets. */
export type BudgetRequest = Held & { recordId: string; budgets: readonly CallBudget[]; now: Date };

/** `isBound`: the request itself says what it may cost. */
type Held = { usd: number; isBound?: boolean };

/** What was seen on the way: the key's spend where its budget was read, and the soft budgets that are used up. */
export type BudgetsSeen = { keySpend: number | null; softExceeded: CallBudget[] };

/** A call that was never settled (its gateway died) is forgotten after this long. */
const reservedMs = 15 * 60_000;

/**
 * Holds back what a call may cost in every budget that it counts against, in one transaction. Throws 429 in LiteLLM's
 * words where a budget is used up by what was spent and what is held back, so that no more than what is under way goes
 * over it. So does a call that may by its own words cost much more than what is left. A budget whose time has come begins
 * anew; a soft one stops nothing.
 */
export async function reserveBudget(db: Database["db"], request: BudgetRequest): Promise<BudgetsSeen> {
  const { recordId, now } = request;
  const budgets = [...request.budgets].sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
  return inTransaction(db, async (tx) => {
    const seen: BudgetsSeen = { keySpend: null, softExceeded: [] };
    for (const budget of budgets) {
      const [scope, scopeId] = [reservedScope(budget), budget.id];
      await lockName(tx, nameOf(budget));
      // Held back first, then spent: what is settled between the two counts twice, never not at all.
      const where = { scope, scopeId, expiresAt: { gt: now } };
      const { _sum: held } = await tx.spendReservation.aggregate({ where, _sum: { usd: true } });
      const state = await readBudget(tx, budget, now);
      if (state === null) continue;
      note(seen, budget, state);
      if (state.maxBudget === null) continue;
      const { spend, maxBudget } = state;
      const usd = toHold(request, { taken: spend + (held.usd ?? 0), maxBudget });
      if (usd === null) throw exceeded(budget, spend, maxBudget);
      const expiresAt = new Date(now.getTime() + reservedMs);
      await tx.spendReservation.create({ data: { id: recordId, scope, scopeId, usd, expiresAt } });
    }
    return seen;
  });
}

/** Answers are rarely as long as they may be, so an estimate may be this much more than what is left. */
const overdrawMax = 2;

/**
 * What a call holds back in a budget; null if it is refused: nothing is left, or the call says itself that it may cost
 * more than twice what is left. A budget of which nothing is taken lets any call through, or calls that may cost more than
 * the budget could never be made. A call that says itself that it may cost more than what is left holds half of that, so
 * that no single call keeps everybody else out.
 */
export function toHold(
  { usd, isBound = false }: Held,
  { taken, maxBudget }: { taken: number; maxBudget: number },
): number | null {
  const left = maxBudget - taken;
  if (left <= 0) return null;
  if (usd <= left) return usd;
  if (taken === 0) return left / 2;
  // Nothing but the default length of an answer is more than what is left, so nearly nothing is.
  if (!isBound) return usd;
  return usd > overdrawMax * left ? null : left / 2;
}

function note(seen: BudgetsSeen, budget: CallBudget, { spend, softBudget }: BudgetState): void {
  if (budget.ofModel === undefined && budget.scope === "key") seen.keySpend = spend;
  if (softBudget !== null && spend >= softBudget) seen.softExceeded.push(budget);
}

function reservedScope({ scope, ofModel }: CallBudget): string {
  return ofModel === undefined ? scope : `${scope} model:${ofModel.model}`;
}

function nameOf(budget: CallBudget): string {
  return `budget:${reservedScope(budget)}:${budget.id}`;
}

function exceeded({ scope, ofModel }: CallBudget, spend: number, maxBudget: number): AppError {
  const of = ofModel === undefined || scope === "proxy" ? "" : ` for model=${ofModel.model}`;
  return new AppError(
    "rate_limited",
    `Budget has been exceeded!${of} Current cost: ${String(spend)}, Max budget: ${String(maxBudget)}`,
    { type: "budget_exceeded" },
  );
}
