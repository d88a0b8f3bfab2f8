import { z } from "zod";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "#keys/actor.ts";
import { isProxyAdmin, mayWrite, readsEverything, teamIdsOf, teamRoleOf } from "#keys/rights.ts";

/** What a key belongs to. */
export type KeyOwner = { teamId: string | null; userId: string | null };

/**
 * As what somebody acts on a key: `proxy_admin`, `team_admin` of the key's team, or `owner` of the key, who may only
 * make it more private and give it no more than he has.
 */
export type Standing = "proxy_admin" | "team_admin" | "owner";

/** The management routes of keys, as `team_member_permissions` names them. */
export type KeyRoute = `/key/${"generate" | "service-account/generate" | "update" | "delete" | "regenerate" | "block"}`;

/** What LiteLLM lets a member do where his team says nothing. */
const memberPermissionsDefault = ["/key/info", "/key/health"];

const Permissions = z
  .object({ team_member_permissions: z.array(z.string()) })
  .transform((team) => team.team_member_permissions);

/**
 * As what the actor may make a key that belongs so. Throws 400 for a team that he is not in, be it there or not, 403 for
 * another user's key, and 401 where his team does not permit its members to make keys.
 */
export async function standingForNew(
  db: Db,
  actor: Actor,
  { owner, route }: { owner: KeyOwner; route: KeyRoute },
): Promise<Standing> {
  if (isProxyAdmin(actor)) return "proxy_admin";
  if (!mayWrite(actor)) throw new AppError("forbidden", "Your role may not make keys.");
  const isForNobody = owner.userId === null && owner.teamId !== null;
  // The maker learns the key, and with it could act as its user.
  if (owner.userId !== actor.userId && !isForNobody) throw notForOthers();
  if (owner.teamId === null) return "owner";
  const role = await teamRoleOf(db, actor, owner.teamId);
  if (role === null) {
    const message = `User=${String(actor.userId)} not assigned to team=${owner.teamId}`;
    throw new AppError("bad_request", message, { param: "team_id" });
  }
  if (role === "admin") return "team_admin";
  if (isForNobody) throw notPermitted(route);
  await assertMemberMay(db, owner.teamId, route);
  return "owner";
}

/**
 * As what the actor may change a key. Throws `refusal` for a key that is neither his nor of a team that he administers,
 * and 401 where his team does not permit its members to do this with their own keys.
 */
export async function standingFor(
  db: Db,
  actor: Actor,
  { owner, route, refusal }: { owner: KeyOwner | null; route: KeyRoute; refusal: AppError },
): Promise<Standing> {
  if (isProxyAdmin(actor)) return "proxy_admin";
  if (!mayWrite(actor) || owner === null) throw refusal;
  const role = owner.teamId === null ? null : await teamRoleOf(db, actor, owner.teamId);
  if (role === "admin") return "team_admin";
  if (owner.userId === null || owner.userId !== actor.userId) throw refusal;
  if (owner.teamId === null) return "owner";
  if (role === null) throw refusal;
  await assertMemberMay(db, owner.teamId, route);
  return "owner";
}

/** Whether the actor may read a key: who reads everything, the key itself, its user, and its team's administrators. */
export async function mayReadKey(db: Db, actor: Actor, key: KeyOwner & { token: string }): Promise<boolean> {
  if (readsEverything(actor) || key.token === actor.keyHash) return true;
  if (key.userId !== null && key.userId === actor.userId) return true;
  return key.teamId !== null && (await teamRoleOf(db, actor, key.teamId)) === "admin";
}

/** The keys that `mayReadKey` allows, as a filter of a query. */
export async function readableKeys(db: Db, actor: Actor) {
  if (readsEverything(actor)) return {};
  return {
    OR: [
      ...(actor.keyHash === null ? [] : [{ token: actor.keyHash }]),
      ...(actor.userId === null ? [] : [{ userId: actor.userId }]),
      { teamId: { in: await teamIdsOf(db, actor, "admin") } },
    ],
  };
}

/** The refusal to make or change a key so that it acts as somebody else. */
export function notForOthers(): AppError {
  return new AppError("forbidden", "You may make keys for yourself and for teams that you administer.", {
    param: "user_id",
  });
}

async function assertMemberMay(db: Db, teamId: string, route: KeyRoute): Promise<void> {
  const team = await db.team.findUnique({ where: { id: teamId }, select: { extras: true } });
  const said = Permissions.safeParse(team?.extras);
  if (!(said.success ? said.data : memberPermissionsDefault).includes(route)) throw notPermitted(route);
}

function notPermitted(route: KeyRoute): AppError {
  const message = `Team member does not have permissions for endpoint: ${route}. You can ask your team admin for them.`;
  return new AppError("unauthorized", message, { type: "team_member_permission_error", param: route });
}
