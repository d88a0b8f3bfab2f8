import { z } from "zod";
import { previewTeamLog } from "#gateway/preview-team-log.ts";
import { isProxyAdmin } from "#keys/rights.ts";
import { contentClasses } from "#logging/content-class.ts";
import { getEffectiveLogging } from "#logging/effective-logging.ts";
import { RedactionLevel } from "#logging/redaction-level.ts";
import { disableLogging } from "#teams/disable-logging.ts";
import { getTeam } from "#teams/get-team.ts";
import { listTeamCallbacks } from "#teams/list-team-callbacks.ts";
import { updateTeam } from "#teams/update-team.ts";
import { router, teamProcedure } from "#trpc/trpc.ts";

/** Whether a team's calls are logged, and how much of them leaves. */
export const policyRouter = router({
  get: teamProcedure("team_inspector", []).query(async ({ ctx: { db, actor }, input: { teamId } }) => {
    const { team } = await getTeam(db, actor, teamId);
    const owner = { keyHash: null, teamId, disabledCallbacks: [] };
    const viewer = { isAdmin: isProxyAdmin(actor), env: process.env };
    return {
      redaction: RedactionLevel.nullable().catch(null).parse(team.redaction),
      effective: await getEffectiveLogging(db, owner, viewer),
      callbacks: (await listTeamCallbacks(db, actor, teamId)).length,
      contentClasses,
    };
  }),
  /** Null: the team says nothing, and the gateway's own level holds. */
  setRedaction: teamProcedure("team_admin", [{ pattern: "/team/update", class: "team_write" }])
    .input(z.object({ redaction: RedactionLevel.nullable() }))
    .mutation(async ({ ctx: { db, actor }, input: { teamId, redaction } }) => {
      const team = await updateTeam(db, actor, { team_id: teamId, redaction });
      return { redaction: team.redaction };
    }),
  disable: teamProcedure("team_admin", [{ pattern: "/team/{team_id}/disable_logging", class: "team_write" }]).mutation(
    async ({ ctx: { db, actor }, input: { teamId } }) => {
      await disableLogging(db, actor, teamId);
      return { team_id: teamId };
    },
  ),
  /** What each destination would get for a call of the team. Nothing is sent. */
  preview: teamProcedure("team_inspector", [])
    .input(z.object({ prompt: z.string().max(20_000), answer: z.string().max(20_000) }))
    .query(({ ctx: { db, actor }, input }) =>
      previewTeamLog(db, { ...input, isAdmin: isProxyAdmin(actor), env: process.env }),
    ),
});
