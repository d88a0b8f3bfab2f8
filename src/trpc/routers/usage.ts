import { z } from "zod";
import { readUsage } from "#teams/read-usage.ts";
import { adminViewerProcedure, router, teamProcedure } from "#trpc/trpc.ts";

/** Over how many days, today (UTC) included. */
const Range = z.object({ days: z.int().min(1).max(366).default(30) });

/** How many calls were made, with how many tokens, at what cost. */
export const usageRouter = router({
  ofTeam: teamProcedure("team_inspector", [])
    .input(Range)
    .query(({ ctx: { db }, input }) => readUsage(db, input)),
  all: adminViewerProcedure([])
    .input(Range)
    .query(({ ctx: { db }, input: { days } }) => readUsage(db, { teamId: null, days })),
});
