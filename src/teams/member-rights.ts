import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "#keys/actor.ts";
import { masterUserId } from "#keys/master-user.ts";
import { assertMayManageTeam, isProxyAdmin } from "#keys/rights.ts";
import type { StoredTeam } from "#teams/team-row.ts";

/** Throws LiteLLM's 403 unless the actor may change the members of this team, be there such a team or not. */
export async function assertMayManageMembers(
  db: Db,
  actor: Actor,
  { teamId, route }: { teamId: string; route: string },
): Promise<void> {
  const error = `Call not allowed. User not proxy admin OR team admin. route=${route}, team_id=${teamId}`;
  await assertMayManageTeam(db, actor, { teamId, refusal: new AppError("forbidden", error, { detail: { error } }) });
}

/**
 * Throws 400 where a team would be left without anybody who administers it, by demotion or removal of this member. A
 * proxy administrator may do that: he goes on managing the team.
 */
export function assertKeepsAdmin(actor: Actor, team: StoredTeam, leavingUserId: string): void {
  if (isProxyAdmin(actor)) return;
  const isLeft = team.members.some(
    (member) => member.role === "admin" && member.userId !== leavingUserId && member.userId !== masterUserId,
  );
  if (isLeft || team.members.every((member) => member.userId !== leavingUserId || member.role !== "admin")) return;
  const message = "The team's last administrator cannot leave or give up the role. Make somebody else one first.";
  throw new AppError("bad_request", message, { param: "user_id" });
}
