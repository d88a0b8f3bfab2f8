import { readModelBudgets, type BudgetOfModel } from "#keys/model-budgets.ts";

/** Whose budget it is. */
export type BudgetScope = "key" | "team" | "user" | "team_member";

/**
 * A budget that a caller's calls count against. What was spent, and the amounts of those that are for every model, are
 * read when a call begins; `ofModel` is for the calls of one model alone.
 */
export type CallBudget = { scope: BudgetScope; id: string; ofModel?: BudgetOfModel };

type BudgetRow = { maxBudget: number | null; softBudget?: number | null; extras?: unknown };

/** The budgets of a row: its own, hard or soft, and those of single models. */
export function toCallBudgets(scope: BudgetScope, id: string, row: BudgetRow | null): CallBudget[] {
  if (row === null) return [];
  const isBound = typeof row.maxBudget === "number" || typeof row.softBudget === "number";
  return [
    ...(isBound ? [{ scope, id }] : []),
    ...readModelBudgets(row.extras).map((ofModel) => ({ scope, id, ofModel })),
  ];
}

/** The id of a member's budget: his team's and his own. */
export function memberBudgetId(teamId: string, userId: string): string {
  return JSON.stringify([teamId, userId]);
}
