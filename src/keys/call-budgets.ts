import { readModelBudgets, type BudgetOfModel } from "#keys/model-budgets.ts";
import type { Config } from "#lib/config.ts";

/** Whose budget it is; `proxy`: everybody's together. */
export type BudgetScope = "key" | "team" | "user" | "team_member" | "proxy";

/**
 * A budget that a caller's calls count against. What was spent, and the amounts of those that are for every model, are
 * read when a call begins; `ofModel` is for the calls of one model alone.
 */
export type CallBudget = { scope: BudgetScope; id: string; ofModel?: BudgetOfModel };

/** The budget that config.yaml sets for all calls together; null where it sets none. What was spent has a row of its own. */
export function toProxyBudget({ litellm_settings: settings }: Config): CallBudget | null {
  const { max_budget: maxBudget = 0, budget_duration: budgetDuration = null } = settings;
  return maxBudget > 0 ? { scope: "proxy", id: "", ofModel: { model: "*", maxBudget, budgetDuration } } : null;
}

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
