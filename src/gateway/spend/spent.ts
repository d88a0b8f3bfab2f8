import { z } from "zod";
import type { LogRecord } from "#logging/record.ts";

/** What one call cost, and whose it was. */
export const Spent = z.object({
  key: z.string().nullable(),
  team: z.string().nullable(),
  user: z.string().nullable(),
  usd: z.number().min(0),
  /** The call whose reservations end with this. */
  reservation: z.string().nullable().default(null),
  /** The budgets of single models that it counts against. */
  models: z.array(z.object({ scope: z.string(), id: z.string(), model: z.string() })).default([]),
});
export type Spent = z.output<typeof Spent>;

/** What a call has in budgets beside its cost. */
export type Held = { hasReservation?: boolean; modelBudgets?: Spent["models"] };

/**
 * What a call's record says of its cost; null where it cost nothing and held nothing back, or nobody is counted. A call
 * with the master key counts against nothing but the budget of all calls together.
 */
export function toSpent(
  { recordId, responseCostUsd: usd, caller }: LogRecord,
  { hasReservation = false, modelBudgets: models = [] }: Held,
): Spent | null {
  const { keyHash: key, teamId: team, userId: user } = caller;
  if ((key === null && !hasReservation) || (usd <= 0 && !hasReservation)) return null;
  const owner = key === null ? { key, team: null, user: null } : { key, team, user };
  return { ...owner, usd, reservation: hasReservation ? recordId : null, models };
}
