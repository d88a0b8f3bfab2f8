import { z } from "zod";
import { isProxyAdmin } from "#keys/rights.ts";
import { findDeliveries } from "#logging/find-deliveries.ts";
import { backfillDeliveries, BackfillDeliveries, retainedHours } from "#teams/backfill-deliveries.ts";
import { chartDeliveries } from "#teams/chart-deliveries.ts";
import { countTeamDeliveries } from "#teams/count-team-deliveries.ts";
import { DeadLetterSelection } from "#teams/delivery-selection.ts";
import { listDeliveries, ListDeliveries } from "#teams/list-deliveries.ts";
import { reviseDeadLetters } from "#teams/revise-dead-letters.ts";
import { router, teamProcedure } from "#trpc/trpc.ts";

const { state, callback_id, error_class, from, cursor } = ListDeliveries.shape;
/** Dead letters of one team; where nothing narrows them, all of it. */
const TeamDeadLetters = z.object({ callback_id, error_class, from, record_ids: DeadLetterSelection.shape.record_ids });

/** No strict object: the team's id is checked before. */
const { team_id: _team, dry_run: _dryRun, ...backfillShape } = BackfillDeliveries.shape;
const Backfill = z.object(backfillShape);

/** What became of a team's logs. */
export const deliveriesRouter = router({
  /** How many deliveries of each of the team's destinations are in which state. */
  counts: teamProcedure("team_inspector", []).query(({ ctx: { db, actor }, input }) =>
    countTeamDeliveries(db, actor, input.teamId),
  ),
  /** How the newest 500 went over time, of the whole team or of one destination. */
  chart: teamProcedure("team_inspector", [])
    .input(z.object({ callbackId: z.string().min(1).max(512).nullable().default(null) }))
    .query(({ ctx: { db, actor }, input }) => chartDeliveries(db, actor, input)),
  /** What became of one call, by record id or call id. */
  find: teamProcedure("team_inspector", [{ pattern: "/v1/logs/{id}/deliveries", class: "receipt" }])
    .input(z.object({ id: z.string().min(1).max(256) }))
    .query(({ ctx: { db, actor }, input: { teamId, id } }) => {
      const reader = { isAdmin: isProxyAdmin(actor), keyHash: null, teamId, env: process.env };
      return findDeliveries(db, reader, id);
    }),
  /** The newest first, a page at a time. */
  list: teamProcedure("team_inspector", [{ pattern: "/v1/deliveries", class: "read" }])
    .input(z.object({ state, callback_id, error_class, from, cursor }))
    .query(({ ctx: { db, actor }, input: { teamId, ...query } }) =>
      listDeliveries(db, { actor, env: process.env }, ListDeliveries.parse({ ...query, team_id: teamId })),
    ),
  /** Sends dead letters again, with the ids that they always had. */
  replay: teamProcedure("team_admin", [{ pattern: "/v1/deliveries/replay", class: "write" }])
    .input(TeamDeadLetters)
    .mutation(({ ctx: { db, actor }, input: { teamId, ...narrower } }) =>
      reviseDeadLetters(db, actor, { action: "replay", selection: { ...narrower, team_id: teamId } }),
    ),
  /** Gives dead letters up for good, with their content. */
  discard: teamProcedure("team_admin", [{ pattern: "/v1/deliveries/discard", class: "write" }])
    .input(TeamDeadLetters)
    .mutation(({ ctx: { db, actor }, input: { teamId, ...narrower } }) =>
      reviseDeadLetters(db, actor, { action: "discard", selection: { ...narrower, team_id: teamId } }),
    ),
  /** For how many hours logs are kept to be sent elsewhere, and how many a destination never had, as far as counted. */
  retained: teamProcedure("team_admin", [{ pattern: "/v1/deliveries/backfill", class: "write" }])
    .input(Backfill.omit({ cursor: true }))
    .query(async ({ ctx: { db, actor }, input: { teamId, ...query } }) => {
      const hoursMax = retainedHours();
      if (hoursMax === 0) return { hours_max: 0, count: 0, is_more: false };
      const counted = await backfillDeliveries(db, actor, { ...query, team_id: teamId, dry_run: true });
      return { hours_max: hoursMax, count: counted.count, is_more: counted.next_cursor !== null };
    }),
  /** Sends a destination the kept logs that it never had, a part of them at a time. */
  backfill: teamProcedure("team_admin", [{ pattern: "/v1/deliveries/backfill", class: "write" }])
    .input(Backfill)
    .mutation(({ ctx: { db, actor }, input: { teamId, ...query } }) =>
      backfillDeliveries(db, actor, { ...query, team_id: teamId }),
    ),
});
