import { z } from "zod";
import { isProxyAdmin } from "#keys/rights.ts";
import { findDeliveries } from "#logging/find-deliveries.ts";
import { countTeamDeliveries } from "#teams/count-team-deliveries.ts";
import { router, teamProcedure } from "#trpc/trpc.ts";

/** What became of a team's logs. */
export const deliveriesRouter = router({
  /** How many deliveries of each of the team's destinations are in which state. */
  counts: teamProcedure("team_inspector").query(({ ctx: { db, actor }, input }) =>
    countTeamDeliveries(db, actor, input.teamId),
  ),
  /** What became of one call, by record id or call id. */
  find: teamProcedure("team_inspector")
    .input(z.object({ id: z.string().min(1).max(256) }))
    .query(({ ctx: { db, actor }, input: { teamId, id } }) => {
      const reader = { isAdmin: isProxyAdmin(actor), keyHash: null, teamId, env: process.env };
      return findDeliveries(db, reader, id);
    }),
});
