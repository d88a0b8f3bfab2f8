import { z } from "zod";
import { auditActions, auditObjectTypes } from "#logging/audit.ts";
import { listChanges } from "#teams/list-changes.ts";
import { listTeamAudit } from "#teams/list-team-audit.ts";
import { adminViewerProcedure, router, teamProcedure } from "#trpc/trpc.ts";

const page = z.int().min(1).max(100_000).default(1);
const action = z.enum(auditActions).optional();
const objectType = z.enum(auditObjectTypes).optional();

/** Who changed what. */
export const auditRouter = router({
  ofTeam: teamProcedure("team_inspector", [])
    .input(z.object({ page, action }))
    .query(({ ctx: { db, actor }, input }) => listTeamAudit(db, actor, input)),
  all: adminViewerProcedure([{ pattern: "/audit", class: "operate" }])
    .input(z.object({ page, action, objectType }))
    .query(({ ctx: { db }, input: { page: wanted, ...filter } }) => {
      const where = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
      return listChanges(db, where, wanted);
    }),
});
