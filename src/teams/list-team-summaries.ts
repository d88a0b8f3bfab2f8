import type { Db } from "#lib/db.ts";
import type { Prisma } from "#lib/prisma/client.ts";
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

/** A page of teams, 25 at most, by name. */
export type TeamPage = { teams: TeamSummary[]; total: number; pages: number };

const pageSize = 25;

/**
 * Lists the first teams that the actor may look into, by name: all for who reads everything, else those that his user is
 * in and the one of his key. `search` is part of a name or an id.
 */
export function listTeamSummaries(
  db: Db,
  actor: Actor,
  { search, limit }: { search: string; limit: number },
): Promise<TeamSummary[]> {
  return summarize(db, actor, { where: visible(actor, search), skip: 0, take: limit });
}

/** As `listTeamSummaries`, one page of them. */
export async function pageTeamSummaries(
  db: Db,
  actor: Actor,
  { search, page }: { search: string; page: number },
): Promise<TeamPage> {
  const where = visible(actor, search);
  const total = await db.team.count({ where });
  const teams = await summarize(db, actor, { where, skip: (page - 1) * pageSize, take: pageSize });
  return { teams, total, pages: Math.max(1, Math.ceil(total / pageSize)) };
}

function visible(actor: Actor, search: string): Prisma.TeamWhereInput {
  const own = { OR: [{ members: { some: { userId: actor.userId ?? "" } } }, { id: actor.teamId ?? "" }] };
  const named = { contains: search, mode: "insensitive" } as const;
  return {
    AND: [readsEverything(actor) ? {} : own, search === "" ? {} : { OR: [{ id: named }, { alias: named }] }],
  };
}

type Wanted = { where: Prisma.TeamWhereInput; skip: number; take: number };

async function summarize(db: Db, actor: Actor, { where, skip, take }: Wanted): Promise<TeamSummary[]> {
  const teams = await db.team.findMany({
    where,
    orderBy: [{ alias: "asc" }, { id: "asc" }],
    ...{ skip, take },
    select: {
      id: true,
      alias: true,
      blocked: true,
      loggingState: true,
      members: { where: { userId: actor.userId ?? "" }, select: { role: true } },
    },
  });
  const counts = await countParts(
    db,
    teams.map(({ id }) => id),
  );
  return teams.map((team) => ({
    team_id: team.id,
    team_alias: team.alias,
    blocked: team.blocked,
    logging_state: team.loggingState,
    role: toRole(team.members[0]?.role),
    members: counts.members.get(team.id) ?? 0,
    keys: counts.keys.get(team.id) ?? 0,
    callbacks: counts.callbacks.get(team.id) ?? 0,
  }));
}

/** What teams are made of, counted for these alone: counts inside the list would be made for every team that there is. */
async function countParts(db: Db, ids: string[]) {
  const members = await db.teamMember.groupBy({
    by: ["teamId"],
    where: { teamId: { in: ids }, userId: { not: masterUserId } },
    _count: true,
  });
  const keys = await db.key.groupBy({ by: ["teamId"], where: { teamId: { in: ids } }, _count: true });
  const callbacks = await db.callback.groupBy({ by: ["teamId"], where: { teamId: { in: ids } }, _count: true });
  return { members: toCounts(members), keys: toCounts(keys), callbacks: toCounts(callbacks) };
}

function toCounts(rows: readonly { teamId: string | null; _count: number }[]): Map<string, number> {
  return new Map(rows.map(({ teamId, _count }) => [teamId ?? "", _count]));
}

function toRole(role: string | undefined): TeamSummary["role"] {
  if (role === undefined) return null;
  return role === "admin" ? "admin" : "user";
}
