import { z } from "zod";
import { listAudit } from "#logging/list-audit.ts";
import { listTeamAudit } from "#teams/list-team-audit.ts";
import { adminViewerProcedure, router, teamProcedure } from "#trpc/trpc.ts";

const Page = z.object({ page: z.int().min(1).max(100_000).default(1) });
const pageSize = 50;

/** Who changed what. */
export const auditRouter = router({
  ofTeam: teamProcedure("team_inspector")
    .input(Page)
    .query(({ ctx: { db, actor }, input }) => listTeamAudit(db, actor, input)),
  all: adminViewerProcedure.input(Page).query(({ ctx: { db }, input: { page } }) => {
    const everything = { objectType: undefined, objectId: undefined, actor: undefined, action: undefined };
    return listAudit(db, { ...everything, page, pageSize });
  }),
});
