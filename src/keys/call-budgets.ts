/** Whose budget it is. */
export type BudgetScope = "key" | "team" | "user" | "team_member";

/** A budget that a caller's calls count against; its amounts are read when a call begins. */
export type CallBudget = { scope: BudgetScope; id: string };

/** The budget of a row; null where it has none. */
export function toCallBudget(
  scope: BudgetScope,
  id: string,
  row: { maxBudget: number | null } | null,
): CallBudget | null {
  return typeof row?.maxBudget === "number" ? { scope, id } : null;
}

/** The id of a member's budget: his team's and his own. */
export function memberBudgetId(teamId: string, userId: string): string {
  return JSON.stringify([teamId, userId]);
}
