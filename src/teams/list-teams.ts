import { z } from "zod";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Prisma } from "#lib/prisma/client.ts";
import type { Caller } from "#keys/caller.ts";
import { keyColumns, KeyRow, toKeyRow } from "#keys/key-row.ts";
import { masterUserId } from "#keys/verify-key.ts";
import { teamColumns, TeamRow, toTeamRow } from "#teams/team-row.ts";

/** Which teams: those of a user, those of an organization, or all. */
export type TeamFilter = { user_id?: string | undefined; organization_id?: string | undefined };

/** A team as the list shows it. */
export const ListedTeam = TeamRow.extend({ keys: z.array(KeyRow), team_memberships: z.array(z.json()) }).meta({
  id: "ListedTeam",
});
export type ListedTeam = z.output<typeof ListedTeam>;

/**
 * Lists teams, the oldest first. An administrator sees all with all keys; a virtual key that names its own user sees
 * its team and those that its user belongs to, and the keys of its own team alone. Throws 401 in LiteLLM's words for
 * everything else that it asks for.
 */
export async function listTeams(db: Db, caller: Caller, filter: TeamFilter): Promise<ListedTeam[]> {
  const { organization_id: organizationId } = filter;
  const where = { AND: [visibleTo(caller, filter), organizationId === undefined ? {} : { organizationId }] };
  const teams = await db.team.findMany({ where, select: teamColumns, orderBy: [{ createdAt: "asc" }, { id: "asc" }] });
  const ids = teams.map((team) => team.id).filter((id) => caller.role === "proxy_admin" || id === caller.teamId);
  const keyWhere = { teamId: { in: ids } };
  const keys = await db.key.findMany({ where: keyWhere, select: keyColumns, orderBy: { createdAt: "asc" } });
  const byTeam = Map.groupBy(keys, (key) => key.teamId);
  return teams.map((team) => ({
    ...toTeamRow(team),
    keys: (byTeam.get(team.id) ?? []).map(toKeyRow),
    team_memberships: [],
  }));
}

function visibleTo(caller: Caller, { user_id: userId }: TeamFilter): Prisma.TeamWhereInput {
  const ofUser = { members: { some: { userId: userId ?? "" } } };
  if (caller.role === "proxy_admin") return userId === undefined ? {} : ofUser;
  if (userId === undefined || userId !== caller.userId) {
    const role = caller.userId === null ? "unknown" : caller.role;
    const message = `Only admin users can query all teams/other teams. Your user role=${role}`;
    throw new AppError("unauthorized", message, { param: "user_id" });
  }
  const ownTeam = { id: caller.teamId ?? "" };
  // The master key's user is a member of every team that an administrator makes: those are not the key's.
  return userId === masterUserId ? ownTeam : { OR: [ownTeam, ofUser] };
}
