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
});
export type Spent = z.output<typeof Spent>;

/** What a call's record says of its cost; null where it cost nothing and held nothing back, or nobody is counted. */
export function toSpent({ recordId, responseCostUsd: usd, caller }: LogRecord, hasReservation: boolean): Spent | null {
  const { keyHash: key, teamId: team, userId: user } = caller;
  if (key === null || (usd <= 0 && !hasReservation)) return null;
  return { key, team, user, usd, reservation: hasReservation ? recordId : null };
}
