import type { Database } from "#lib/db.ts";
import { inTransaction } from "#lib/in-transaction.ts";
import { forgetTeam } from "#keys/caller-cache.ts";
import { writeAudit, type Actor } from "#logging/audit.ts";
import { lockMember } from "#teams/lock-member.ts";
import type { MemberName } from "#teams/team.ts";
import { teamColumns, toTeamRow, type TeamRow } from "#teams/team-row.ts";

/** Removes a member from a team; his keys stay. Throws 400 for an unknown team or member. */
export async function deleteMember(db: Database["db"], actor: Actor, named: MemberName): Promise<TeamRow> {
  const teamId = named.team_id;
  const row = await inTransaction(db, async (tx) => {
    const { team, member } = await lockMember(tx, named);
    await tx.teamMember.delete({
      where: { teamId_userId: { teamId, userId: member.userId } },
      select: { userId: true },
    });
    const after = toTeamRow(await tx.team.findUniqueOrThrow({ where: { id: teamId }, select: teamColumns }));
    const before = toTeamRow(team);
    await writeAudit(tx, actor, { action: "delete_member", objectType: "team", objectId: teamId, before, after });
    return after;
  });
  forgetTeam(teamId);
  return row;
}
