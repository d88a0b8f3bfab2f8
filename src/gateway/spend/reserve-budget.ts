import { z } from "zod";
import { addDuration } from "#lib/duration.ts";
import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction, lockName, type Transaction } from "#lib/in-transaction.ts";
import type { CallBudget } from "#keys/call-budgets.ts";

/** What a call wants to hold back, until when at most, and in whose budgets. */
export type BudgetRequest = { recordId: string; budgets: readonly CallBudget[]; usd: number; now: Date };

/** A call that was never settled (its gateway died) is forgotten after this long. */
const reservedMs = 15 * 60_000;

type BudgetRow = { spend: number; maxBudget: number | null; budgetDuration: string | null; budgetResetAt: Date | null };

/**
 * Holds back what a call may cost in every budget that it counts against, in one transaction. Throws 429 in LiteLLM's
 * words where a budget is used up by what was spent and what is held back, so that no more than what is under way goes
 * over it. A budget whose time has come begins anew.
 */
export async function reserveBudget(db: Database["db"], request: BudgetRequest): Promise<void> {
  const { recordId, usd, now } = request;
  const budgets = [...request.budgets].sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
  await inTransaction(db, async (tx) => {
    for (const budget of budgets) {
      const { scope, id: scopeId } = budget;
      await lockName(tx, nameOf(budget));
      // Held back first, then spent: what is settled between the two counts twice, never not at all.
      const where = { scope, scopeId, expiresAt: { gt: now } };
      const { _sum: held } = await tx.spendReservation.aggregate({ where, _sum: { usd: true } });
      const row = await readBudget(tx, budget, now);
      if (typeof row?.maxBudget !== "number") continue;
      const cost = row.spend + (held.usd ?? 0);
      if (cost >= row.maxBudget) throw exceeded(row.spend, row.maxBudget);
      const expiresAt = new Date(now.getTime() + reservedMs);
      await tx.spendReservation.create({ data: { id: recordId, scope, scopeId, usd, expiresAt } });
    }
  });
}

function nameOf({ scope, id }: CallBudget): string {
  return `budget:${scope}:${id}`;
}

const select = { spend: true, maxBudget: true, budgetDuration: true, budgetResetAt: true } as const;
const MemberId = z.tuple([z.string(), z.string()]);

async function readBudget(tx: Transaction, { scope, id }: CallBudget, now: Date): Promise<BudgetRow | null> {
  if (scope === "team_member") {
    const [teamId, userId] = MemberId.parse(JSON.parse(id));
    const where = { teamId_userId: { teamId, userId } };
    const member = await tx.teamMember.findUnique({ where, select: { spend: true, maxBudget: true } });
    return member && { ...member, budgetDuration: null, budgetResetAt: null };
  }
  const row = await findRow(tx, scope, id);
  if (!row?.budgetDuration || row.budgetResetAt === null || row.budgetResetAt > now) return row;
  const data = { spend: 0, budgetResetAt: addDuration(now, row.budgetDuration, "budget_duration") };
  if (scope === "key") await tx.key.updateMany({ where: { token: id }, data });
  else if (scope === "team") await tx.team.updateMany({ where: { id }, data });
  else await tx.user.updateMany({ where: { id }, data });
  return { ...row, spend: 0 };
}

function findRow(tx: Transaction, scope: "key" | "team" | "user", id: string): Promise<BudgetRow | null> {
  if (scope === "key") return tx.key.findUnique({ where: { token: id }, select });
  return scope === "team"
    ? tx.team.findUnique({ where: { id }, select })
    : tx.user.findUnique({ where: { id }, select });
}

function exceeded(spend: number, maxBudget: number): AppError {
  return new AppError(
    "rate_limited",
    `Budget has been exceeded! Current cost: ${String(spend)}, Max budget: ${String(maxBudget)}`,
    { type: "budget_exceeded" },
  );
}
