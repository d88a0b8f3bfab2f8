import { AppError } from "#lib/errors.ts";
import type { Transaction } from "#lib/in-transaction.ts";
import { lockTeam, type StoredTeam } from "#teams/team-row.ts";
import type { MemberName } from "#teams/team.ts";

/** A team and the one of its members that is meant. */
export type FoundMember = { team: StoredTeam; member: StoredTeam["members"][number] };

/**
 * Reads a member by user id or e-mail address, with the team, which nobody else changes before the transaction ends.
 * Throws LiteLLM's 400s for an unknown team and for somebody who is not in it.
 */
export async function lockMember(tx: Transaction, named: MemberName): Promise<FoundMember> {
  const team = await lockTeam(tx, named.team_id);
  if (!team) throw refused(`Team id=${named.team_id} does not exist in db`);
  const member = team.members.find((known) =>
    named.user_id
      ? known.userId === named.user_id
      : known.userEmail !== null && known.userEmail.toLowerCase() === named.user_email,
  );
  if (!member) {
    const members = team.members.map((known) => known.userId).join(", ");
    throw refused(`User not found in team. Team members=[${members}]`);
  }
  return { team, member };
}

function refused(error: string): AppError {
  return new AppError("bad_request", error, { detail: { error } });
}
