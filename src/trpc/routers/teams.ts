import { z } from "zod";
import { createTeam } from "#teams/create-team.ts";
import { deleteTeams } from "#teams/delete-teams.ts";
import { getTeam } from "#teams/get-team.ts";
import { listTeamSummaries, pageTeamSummaries } from "#teams/list-team-summaries.ts";
import { mayManageTeam } from "#keys/rights.ts";
import { CreateTeam, TeamFields, UpdateTeam } from "#teams/team.ts";
import { updateTeam } from "#teams/update-team.ts";
import { adminProcedure, router, teamProcedure, userProcedure } from "#trpc/trpc.ts";

const search = z.string().max(256).default("");

/** Teams. What a team is made of is in the routers of its parts. */
export const teamsRouter = router({
  /** The first ones by name; `page` has all of them, page by page. */
  list: userProcedure([{ pattern: "/team/list", class: "read" }])
    .input(z.object({ search, limit: z.int().min(1).max(500).default(500) }).prefault({}))
    .query(({ ctx: { db, actor }, input }) => listTeamSummaries(db, actor, input)),
  page: userProcedure([{ pattern: "/team/list", class: "read" }])
    .input(z.object({ search, page: z.int().min(1).max(100_000).default(1) }).prefault({}))
    .query(({ ctx: { db, actor }, input }) => pageTeamSummaries(db, actor, input)),
  get: teamProcedure("team_reader", [{ pattern: "/team/info", class: "read" }]).query(
    async ({ ctx: { db, actor }, input }) => {
      const { team } = await getTeam(db, actor, input.teamId);
      return { ...team, mayManage: await mayManageTeam(db, actor, input.teamId) };
    },
  ),
  create: adminProcedure([{ pattern: "/team/new", class: "write" }])
    .input(CreateTeam)
    .mutation(({ ctx: { db, actor }, input }) => createTeam(db, actor, input)),
  update: teamProcedure("team_admin", [{ pattern: "/team/update", class: "team_write" }])
    .input(z.object({ changes: z.looseObject(TeamFields.shape) }))
    .mutation(({ ctx: { db, actor }, input }) =>
      updateTeam(db, actor, UpdateTeam.parse({ ...input.changes, team_id: input.teamId })),
    ),
  delete: adminProcedure([{ pattern: "/team/delete", class: "write" }])
    .input(z.object({ teamId: z.string().max(256) }))
    .mutation(async ({ ctx: { db, actor }, input }) => ({ deleted: await deleteTeams(db, actor, [input.teamId]) })),
});
