import type { Database } from "#lib/db.ts";
import { inTransaction } from "#lib/in-transaction.ts";
import { forgetTeam } from "#keys/caller-cache.ts";
import type { Actor } from "#keys/actor.ts";
import { keyColumns, toKeyRow } from "#keys/key-row.ts";
import { masterUserId } from "#keys/master-user.ts";
import { writeAudit } from "#logging/audit.ts";
import { assertKeepsAdmin, assertMayManageMembers } from "#teams/member-rights.ts";
import { announceCallbacks } from "#logging/write-callbacks.ts";
import { lockMember } from "#teams/lock-member.ts";
import type { MemberName } from "#teams/team.ts";
import { teamColumns, toTeamRow, type TeamRow } from "#teams/team-row.ts";

/**
 * Removes a member from a team and deletes his keys of that team, as LiteLLM does; keys of the master key's user belong
 * to the team and stay. For the team's administrators, of whom one stays. Throws 400 for an unknown team or member.
 */
export async function deleteMember(db: Database["db"], actor: Actor, named: MemberName): Promise<TeamRow> {
  const teamId = named.team_id;
  const { row, keys } = await inTransaction(db, async (tx) => {
    await assertMayManageMembers(tx, actor, { teamId, route: "/team/member_delete" });
    const { team, member } = await lockMember(tx, named);
    assertKeepsAdmin(actor, team, member.userId);
    const where = { teamId, userId: member.userId };
    const removed = member.userId === masterUserId ? [] : await tx.key.findMany({ where, select: keyColumns });
    await tx.key.deleteMany({ where: { token: { in: removed.map((key) => key.token) } } });
    for (const key of removed) {
      await writeAudit(tx, actor, { action: "delete", objectType: "key", objectId: key.token, before: toKeyRow(key) });
    }
    await tx.teamMember.delete({
      where: { teamId_userId: { teamId, userId: member.userId } },
      select: { userId: true },
    });
    const after = toTeamRow(await tx.team.findUniqueOrThrow({ where: { id: teamId }, select: teamColumns }));
    const before = toTeamRow(team);
    await writeAudit(tx, actor, { action: "delete_member", objectType: "team", objectId: teamId, before, after });
    return { row: after, keys: removed };
  });
  forgetTeam(teamId);
  await announceCallbacks(keys.flatMap((key) => key.callbacks.map((callback) => callback.id)));
  return row;
}
