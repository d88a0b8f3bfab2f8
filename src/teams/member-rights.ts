import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "#keys/actor.ts";
import { masterUserId } from "#keys/master-user.ts";
import { readMemberBudget } from "#keys/model-budgets.ts";
import { assertMayManageTeam, isProxyAdmin } from "#keys/rights.ts";
import type { StoredTeam } from "#teams/team-row.ts";
import type { UpdateMember } from "#teams/team.ts";

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

/**
 * Throws 403 if a team's administrators would loosen their own limits in the team, which a proxy administrator or another
 * administrator of the team may do. Null is no limit, and of a budget the one that the team gives each member.
 */
export async function assertTightensOwnLimits(
  db: Db,
  actor: Actor,
  { input, teamExtras }: { input: UpdateMember; teamExtras: unknown },
): Promise<void> {
  if (isProxyAdmin(actor) || actor.userId === null) return;
  const where = { teamId_userId: { teamId: input.team_id, userId: actor.userId } };
  const select = { maxBudget: true, tpmLimit: true, rpmLimit: true } as const;
  const own = await db.teamMember.findUnique({ where, select });
  if (own === null) return;
  const shared = readMemberBudget(teamExtras).maxBudget;
  const limits = [
    { name: "max_budget_in_team", given: input.max_budget_in_team, held: own.maxBudget, shared },
    { name: "tpm_limit", given: input.tpm_limit, held: own.tpmLimit, shared: null },
    { name: "rpm_limit", given: input.rpm_limit, held: own.rpmLimit, shared: null },
  ];
  for (const { name, given, held, shared: inherited } of limits) {
    const max = held ?? inherited;
    const asked = given ?? inherited;
    if (given === undefined || max === null || (asked !== null && asked <= max)) continue;
    throw new AppError("forbidden", `You may only tighten your own ${name}.`, { param: name });
  }
}
