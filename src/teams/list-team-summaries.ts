import type { Db } from "#lib/db.ts";
import type { Actor } from "#keys/actor.ts";
import { masterUserId } from "#keys/master-user.ts";
import { readsEverything } from "#keys/rights.ts";

/** A team as a list of teams shows it. */
export type TeamSummary = {
  team_id: string;
  team_alias: string | null;
  blocked: boolean;
  logging_state: "unset" | "own" | "disabled";
  /** What the actor's user is in it; null for none of it. */
  role: "admin" | "user" | null;
  members: number;
  keys: number;
  callbacks: number;
};

const teamsMax = 500;

/**
 * Lists the teams that the actor may look into, by name: all for who reads everything, else those that his user is in and
 * the one of his key. At most 500.
 */
export async function listTeamSummaries(db: Db, actor: Actor, search: string): Promise<TeamSummary[]> {
  const userId = actor.userId ?? "";
  const own = { OR: [{ members: { some: { userId } } }, { id: actor.teamId ?? "" }] };
  const named = { contains: search, mode: "insensitive" } as const;
  const teams = await db.team.findMany({
    where: { AND: [readsEverything(actor) ? {} : own, search === "" ? {} : { OR: [{ id: named }, { alias: named }] }] },
    orderBy: [{ alias: "asc" }, { id: "asc" }],
    take: teamsMax,
    select: {
      id: true,
      alias: true,
      blocked: true,
      loggingState: true,
      members: { where: { userId }, select: { role: true } },
      _count: {
        select: { members: { where: { userId: { not: masterUserId } } }, keys: true, callbacks: true },
      },
    },
  });
  return teams.map((team) => ({
    team_id: team.id,
    team_alias: team.alias,
    blocked: team.blocked,
    logging_state: team.loggingState,
    role: toRole(team.members[0]?.role),
    ...team._count,
  }));
}

function toRole(role: string | undefined): TeamSummary["role"] {
  if (role === undefined) return null;
  return role === "admin" ? "admin" : "user";
}
