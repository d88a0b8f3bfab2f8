import { z } from "zod";
import type { BudgetScope, CallBudget } from "#keys/call-budgets.ts";
import { readMemberBudget, type BudgetOfModel } from "#keys/model-budgets.ts";
import { addDuration } from "#lib/duration.ts";
import type { Transaction } from "#lib/in-transaction.ts";

/** What stands in a budget now, in USD. Null: no bound. */
export type BudgetState = { spend: number; maxBudget: number | null; softBudget: number | null };

type BudgetRow = BudgetState & { budgetDuration: string | null; budgetResetAt: Date | null };

/** Sets what a row counts: its spend, and when it begins anew. */
type WriteRow = (data: { spend?: number; budgetResetAt: Date }) => Promise<unknown>;

/**
 * Reads a budget that a call counts against; null where it is gone. One whose time has come begins anew, and one that
 * was never counted before begins now.
 */
export async function readBudget(tx: Transaction, budget: CallBudget, now: Date): Promise<BudgetState | null> {
  const found = await findBudget(tx, budget);
  if (found === null) return null;
  const { row, write } = found;
  const { budgetDuration, budgetResetAt } = row;
  if (budgetDuration === null || (budgetResetAt !== null && budgetResetAt > now)) return row;
  const next = addDuration(now, budgetDuration, "budget_duration");
  if (budgetResetAt === null) {
    await write({ budgetResetAt: next });
    return row;
  }
  await write({ spend: 0, budgetResetAt: next });
  return { ...row, spend: 0 };
}

const select = { spend: true, maxBudget: true, softBudget: true, budgetDuration: true, budgetResetAt: true } as const;
const MemberId = z.tuple([z.string(), z.string()]);

async function findBudget(
  tx: Transaction,
  { scope, id, ofModel }: CallBudget,
): Promise<{ row: BudgetRow; write: WriteRow } | null> {
  if (ofModel !== undefined) return findModelBudget(tx, { scope, id, ofModel });
  if (scope === "team_member") return findMemberBudget(tx, id);
  if (scope === "key") {
    const row = await tx.key.findUnique({ where: { token: id }, select });
    return row && { row, write: (data) => tx.key.updateMany({ where: { token: id }, data }) };
  }
  if (scope === "team") {
    const row = await tx.team.findUnique({ where: { id }, select });
    return row && { row, write: (data) => tx.team.updateMany({ where: { id }, data }) };
  }
  const row = await tx.user.findUnique({ where: { id }, select });
  return row && { row, write: (data) => tx.user.updateMany({ where: { id }, data }) };
}

/** A member's budget is his own, else the one that his team gives each member, and begins anew as the team says. */
async function findMemberBudget(tx: Transaction, id: string): Promise<{ row: BudgetRow; write: WriteRow } | null> {
  const [teamId, userId] = MemberId.parse(JSON.parse(id));
  const where = { teamId, userId };
  const member = await tx.teamMember.findUnique({
    where: { teamId_userId: where },
    select: { spend: true, maxBudget: true, budgetResetAt: true, team: { select: { extras: true } } },
  });
  if (!member) return null;
  const { spend, budgetResetAt, team } = member;
  const ofTeam = readMemberBudget(team.extras);
  const maxBudget = member.maxBudget ?? ofTeam.maxBudget;
  const row = { spend, maxBudget, softBudget: null, budgetDuration: ofTeam.budgetDuration, budgetResetAt };
  return { row, write: (data) => tx.teamMember.updateMany({ where, data }) };
}

/** What one model may cost somebody is said with his row; what it did cost has a row of its own. */
async function findModelBudget(
  tx: Transaction,
  { scope, id: ownerId, ofModel }: { scope: BudgetScope; id: string; ofModel: BudgetOfModel },
): Promise<{ row: BudgetRow; write: WriteRow }> {
  const { model, maxBudget, budgetDuration } = ofModel;
  const where = { scope, ownerId, model };
  await tx.modelSpend.createMany({ data: [where], skipDuplicates: true });
  const stored = await tx.modelSpend.findUnique({
    where: { scope_ownerId_model: where },
    select: { spend: true, budgetResetAt: true },
  });
  const { spend, budgetResetAt } = stored ?? { spend: 0, budgetResetAt: null };
  const row = { spend, maxBudget, softBudget: null, budgetDuration, budgetResetAt };
  return { row, write: (data) => tx.modelSpend.updateMany({ where, data }) };
}
