import { z } from "zod";
import type { Database } from "#lib/db.ts";
import { inTransaction } from "#lib/in-transaction.ts";
import { withoutUndefined } from "#lib/without-undefined.ts";
import { forgetTeam } from "#keys/caller-cache.ts";
import type { Actor } from "#keys/actor.ts";
import { writeAudit } from "#logging/audit.ts";
import { assertKeepsAdmin, assertMayManageMembers, assertTightensOwnLimits } from "#teams/member-rights.ts";
import { lockMember } from "#teams/lock-member.ts";
import { memberLimits } from "#teams/member-limits.ts";
import type { UpdateMember } from "#teams/team.ts";
import { teamColumns, toTeamRow } from "#teams/team-row.ts";

/** A member as `POST /team/member_update` shows him. */
export const UpdatedMember = z.object({
  team_id: z.string(),
  user_id: z.string(),
  user_email: z.string().nullable(),
  role: z.string(),
  max_budget_in_team: z.number().nullable(),
  tpm_limit: z.number().nullable(),
  rpm_limit: z.number().nullable(),
});
export type UpdatedMember = z.output<typeof UpdatedMember>;

/**
 * Changes a member's role and limits inside his team. For the team's administrators, of whom one stays. Throws 400 for
 * an unknown team or member and negative limits.
 */
export async function updateMember(db: Database["db"], actor: Actor, input: UpdateMember): Promise<UpdatedMember> {
  const teamId = input.team_id;
  const limits = memberLimits(input);
  const updated = await inTransaction(db, async (tx) => {
    await assertMayManageMembers(tx, actor, { teamId, route: "/team/member_update" });
    const { team, member } = await lockMember(tx, input);
    if (member.userId === actor.userId) await assertTightensOwnLimits(tx, actor, { input, teamExtras: team.extras });
    if (input.role === "user") assertKeepsAdmin(actor, team, member.userId);
    const written = await tx.teamMember.update({
      where: { teamId_userId: { teamId, userId: member.userId } },
      data: { ...withoutUndefined({ role: input.role ?? undefined }), ...limits },
      select: { userId: true, userEmail: true, role: true, maxBudget: true, tpmLimit: true, rpmLimit: true },
    });
    const row = toTeamRow(await tx.team.findUniqueOrThrow({ where: { id: teamId }, select: teamColumns }));
    const shown = {
      user_id: written.userId,
      user_email: written.userEmail,
      role: written.role,
      max_budget_in_team: written.maxBudget,
      tpm_limit: written.tpmLimit === null ? null : Number(written.tpmLimit),
      rpm_limit: written.rpmLimit === null ? null : Number(written.rpmLimit),
    };
    await writeAudit(tx, actor, {
      action: "update_member",
      objectType: "team",
      objectId: teamId,
      before: toTeamRow(team),
      after: { ...row, updated_member: shown },
    });
    return shown;
  });
  forgetTeam(teamId);
  return { team_id: teamId, ...updated };
}
