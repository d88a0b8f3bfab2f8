import { z } from "zod";
import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction, type Transaction } from "#lib/in-transaction.ts";
import type { Actor } from "#keys/actor.ts";
import { writeAudit } from "#logging/audit.ts";
import { userIdOf } from "#teams/create-team.ts";
import { assertMayManageMembers } from "#teams/member-rights.ts";
import { memberLimits, Membership, showMembership } from "#teams/member-limits.ts";
import { lockTeam, teamColumns, TeamRow, toTeamRow, type StoredTeam } from "#teams/team-row.ts";
import type { AddMembers, Member } from "#teams/team.ts";

/** The team with its new members, and who they are. */
export const MembersAdded = TeamRow.extend({
  updated_users: z.array(z.object({ user_id: z.string(), user_email: z.string().nullable() })),
  updated_team_memberships: z.array(Membership),
}).meta({ id: "MembersAdded" });
export type MembersAdded = z.output<typeof MembersAdded>;

type NewMember = Identity & ReturnType<typeof memberLimits> & { teamId: string };

type Identity = { userId: string; userEmail: string | null; role: string };

/**
 * Adds members to a team, all or none; a user id or address that nobody has yet makes a user. For the team's
 * administrators. Throws 404 for an unknown team and 400 for somebody who is in it already, be it
 * by user id or by e-mail address.
 */
export async function addMembers(db: Database["db"], actor: Actor, input: AddMembers): Promise<MembersAdded> {
  const teamId = input.team_id;
  const given = Array.isArray(input.member) ? input.member : [input.member];
  const limits = memberLimits(input);
  return inTransaction(db, async (tx) => {
    const stored = await lockTeam(tx, teamId);
    await assertMayManageMembers(tx, actor, { teamId, route: "/team/member_add" });
    if (!stored) throw unknown(teamId);
    const added: NewMember[] = [];
    for (const member of given) added.push({ teamId, ...(await identify(tx, stored, member)), ...limits });
    const twice = added.find((member, index) => added.findIndex(({ userId }) => userId === member.userId) !== index);
    if (twice) throw taken(stored, twice.userId);
    await tx.teamMember.createMany({ data: added });
    const after = toTeamRow(await tx.team.findUniqueOrThrow({ where: { id: teamId }, select: teamColumns }));
    const before = toTeamRow(stored);
    await writeAudit(tx, actor, { action: "add_members", objectType: "team", objectId: teamId, before, after });
    return {
      ...after,
      updated_users: added.map(({ userId, userEmail }) => ({ user_id: userId, user_email: userEmail })),
      updated_team_memberships: added.map((member) => showMembership(member)),
    };
  });
}

async function identify(tx: Transaction, team: StoredTeam, member: Member): Promise<Identity> {
  const userEmail = member.user_email ? member.user_email : null;
  const userId = await userIdOf(tx, member);
  const isTaken = team.members.some(
    (known) => known.userId === userId || (userEmail !== null && known.userEmail === userEmail),
  );
  if (isTaken) throw taken(team, userId);
  return { userId, userEmail, role: member.role };
}

function unknown(teamId: string): AppError {
  const error = `Team not found for team_id=${teamId}`;
  return new AppError("not_found", error, { detail: { error } });
}

function taken(team: StoredTeam, userId: string): AppError {
  const existing = team.members.map((member) => member.userId).join(", ");
  return new AppError("bad_request", `User=${userId} already in team. Existing members=[${existing}]`, {
    type: "team_member_already_in_team",
    param: "user_id",
  });
}
