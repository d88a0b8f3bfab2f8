import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "#keys/actor.ts";
import { isTeamId } from "#keys/team-id.ts";

/** True for proxy administrators, who may do everything. */
export function isProxyAdmin(actor: Pick<Actor, "role">): boolean {
  return actor.role === "proxy_admin";
}

/** True for who reads everything: proxy administrators and their viewers. */
export function readsEverything(actor: Pick<Actor, "role">): boolean {
  return actor.role === "proxy_admin" || actor.role === "proxy_admin_viewer";
}

/** True for who may write something: viewers and nobody's keys may not, whatever they are a member of. */
export function mayWrite(actor: Pick<Actor, "role">): boolean {
  return actor.role === "proxy_admin" || actor.role === "internal_user";
}

/** Throws 403 for everybody but proxy administrators, with what only they may do. */
export function assertProxyAdmin(actor: Pick<Actor, "role">, deed: string): void {
  if (!isProxyAdmin(actor)) throw new AppError("forbidden", `Only a proxy administrator may ${deed}.`);
}

/** What the actor's user is in a team; null for a team that he is not in, that there is not, and for nobody. */
export async function teamRoleOf(
  db: Db,
  actor: Pick<Actor, "userId">,
  teamId: string,
): Promise<"admin" | "user" | null> {
  if (actor.userId === null || !isTeamId(teamId)) return null;
  const where = { teamId_userId: { teamId, userId: actor.userId } };
  const member = await db.teamMember.findUnique({ where, select: { role: true } });
  if (member === null) return null;
  return member.role === "admin" ? "admin" : "user";
}

/** The ids of the teams that the actor's user is in, those where he is an administrator alone with `role`. */
export async function teamIdsOf(db: Db, actor: Pick<Actor, "userId">, role?: "admin"): Promise<string[]> {
  if (actor.userId === null) return [];
  const where = { userId: actor.userId, ...(role === undefined ? {} : { role }) };
  const members = await db.teamMember.findMany({ where, select: { teamId: true } });
  return members.map(({ teamId }) => teamId);
}

/** Whether the actor may change a team: proxy administrators every one, others those that they administer. */
export async function mayManageTeam(db: Db, actor: Actor, teamId: string): Promise<boolean> {
  if (!mayWrite(actor)) return false;
  return isProxyAdmin(actor) || (await teamRoleOf(db, actor, teamId)) === "admin";
}

/**
 * Throws `refusal` (403 in LiteLLM's words) unless the actor may change this team. To everybody but proxy
 * administrators a team that there is not is refused just so; they find out when it is looked for.
 */
export async function assertMayManageTeam(
  db: Db,
  actor: Actor,
  { teamId, refusal = noTeamAccess() }: { teamId: string; refusal?: AppError },
): Promise<void> {
  if (!(await mayManageTeam(db, actor, teamId))) throw refusal;
}

/** As `assertMayManageTeam`, for what viewers of everything and administrators of the team may read. */
export async function assertMayInspectTeam(db: Db, actor: Actor, teamId: string): Promise<void> {
  if (readsEverything(actor) || (await teamRoleOf(db, actor, teamId)) === "admin") return;
  throw noTeamAccess();
}

/** Whether the actor may read a team: who reads everything, its members, and its keys. */
export async function mayReadTeam(db: Db, actor: Actor, teamId: string): Promise<boolean> {
  return readsEverything(actor) || actor.teamId === teamId || (await teamRoleOf(db, actor, teamId)) !== null;
}

function noTeamAccess(): AppError {
  const detail = "You do not have access to this team";
  return new AppError("forbidden", detail, { detail });
}
