import { z } from "zod";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Prisma } from "#lib/prisma/client.ts";
import type { Actor } from "#keys/actor.ts";
import { keyColumns, KeyRow, toKeyRow } from "#keys/key-row.ts";
import { masterUserId } from "#keys/master-user.ts";
import { readsEverything, teamIdsOf } from "#keys/rights.ts";
import { teamColumns, TeamRow, toTeamRow } from "#teams/team-row.ts";

/** Which teams: those of a user, those of an organization, or all. */
export type TeamFilter = { user_id?: string | undefined; organization_id?: string | undefined };

/** A team as the list shows it. */
export const ListedTeam = TeamRow.extend({ keys: z.array(KeyRow), team_memberships: z.array(z.json()) }).meta({
  id: "ListedTeam",
});
export type ListedTeam = z.output<typeof ListedTeam>;

/**
 * Lists teams, the oldest first. Who reads everything sees all with all keys; everybody else, naming his own user, sees
 * the teams that he belongs to and the one of the key he uses, with the keys of that one and of those he administers.
 * Throws 401 in LiteLLM's words for everything else that is asked for.
 */
export async function listTeams(db: Db, actor: Actor, filter: TeamFilter): Promise<ListedTeam[]> {
  const { organization_id: organizationId } = filter;
  const where = { AND: [visibleTo(actor, filter), organizationId === undefined ? {} : { organizationId }] };
  const teams = await db.team.findMany({ where, select: teamColumns, orderBy: [{ createdAt: "asc" }, { id: "asc" }] });
  const withKeys = new Set([actor.teamId, ...(await teamIdsOf(db, actor, "admin"))]);
  const ids = teams.map((team) => team.id).filter((id) => readsEverything(actor) || withKeys.has(id));
  const keyWhere = { teamId: { in: ids } };
  const keys = await db.key.findMany({ where: keyWhere, select: keyColumns, orderBy: { createdAt: "asc" } });
  const byTeam = Map.groupBy(keys, (key) => key.teamId);
  return teams.map((team) => ({
    ...toTeamRow(team),
    keys: (byTeam.get(team.id) ?? []).map(toKeyRow),
    team_memberships: [],
  }));
}

function visibleTo(actor: Actor, { user_id: userId }: TeamFilter): Prisma.TeamWhereInput {
  const ofUser = { members: { some: { userId: userId ?? "" } } };
  if (readsEverything(actor)) return userId === undefined ? {} : ofUser;
  const ownTeam = { id: actor.teamId ?? "" };
  if (userId !== undefined && userId === actor.userId) return { OR: [ownTeam, ofUser] };
  // What an administrator makes bears the master key's user: a key that does so is nobody's, and names its team so.
  if (userId === masterUserId && actor.keyHash !== null) return ownTeam;
  const message = `Only admin users can query all teams/other teams. Your user role=${actor.role}`;
  throw new AppError("unauthorized", message, { param: "user_id" });
}
