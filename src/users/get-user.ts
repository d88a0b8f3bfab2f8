import { z } from "zod";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "#keys/actor.ts";
import { keyColumns, KeyRow, toKeyRow } from "#keys/key-row.ts";
import { readsEverything } from "#keys/rights.ts";
import { teamColumns, TeamRow, toTeamRow } from "#teams/team-row.ts";
import { toUserRow, unknownUser, userColumns, UserRow } from "#users/user-row.ts";

/** What `GET /user/info` answers. */
export const UserInfo = z
  .object({ user_id: z.string(), user_info: UserRow, keys: z.array(KeyRow), teams: z.array(TeamRow) })
  .meta({ id: "UserInfo" });
export type UserInfo = z.output<typeof UserInfo>;

/**
 * Reads a user with his keys and teams, the actor's own where none is named. Throws 403 for everybody else's to whom may
 * not read everything, be he there or not, and 404 for an unknown one.
 */
export async function getUser(db: Db, actor: Actor, named: string | undefined): Promise<UserInfo> {
  const id = named ?? actor.userId ?? "";
  if (!readsEverything(actor) && (actor.userId === null || id !== actor.userId)) {
    const message = `You are not allowed to access this user's info. Your role=${actor.role}`;
    throw new AppError("forbidden", message, { param: "user_id" });
  }
  const user = await db.user.findUnique({ where: { id }, select: userColumns });
  if (!user) throw unknownUser(id);
  const orderBy = { createdAt: "asc" } as const;
  const keys = await db.key.findMany({ where: { userId: id }, select: keyColumns, orderBy });
  const teams = await db.team.findMany({ where: { members: { some: { userId: id } } }, select: teamColumns, orderBy });
  return {
    user_id: id,
    user_info: toUserRow(
      user,
      teams.map((team) => team.id),
    ),
    keys: keys.map(toKeyRow),
    teams: teams.map(toTeamRow),
  };
}
