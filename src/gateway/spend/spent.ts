import { z } from "zod";
import type { LogRecord } from "#logging/record.ts";

/** What one call cost, and whose it was. */
export const Spent = z.object({
  key: z.string().nullable(),
  team: z.string().nullable(),
  user: z.string().nullable(),
  usd: z.number().positive(),
});
export type Spent = z.output<typeof Spent>;

/** What a call's record says of its cost; null where it cost nothing, or nobody that is counted. */
export function toSpent({ responseCostUsd: usd, caller }: LogRecord): Spent | null {
  const { keyHash: key, teamId: team, userId: user } = caller;
  return usd > 0 && key !== null ? { key, team, user, usd } : null;
}
