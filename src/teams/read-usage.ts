import type { Db } from "#lib/db.ts";
import { addUsage, noUsage, sumUsage, type Usage } from "#teams/sum-usage.ts";

/** The usage of the last days (UTC), whole and by what it is made of, the dearest first. */
export type UsageReport = {
  /** The first and the last of the days. */
  from: string;
  to: string;
  total: Usage;
  /** Every day, also those without a call. */
  days: ({ day: string } & Usage)[];
  /** `model` is empty for calls that reached no model. At most 50. */
  models: ({ model: string } & Usage)[];
  /** By the hash that the key has now. At most 50. */
  keys: ({ token: string; name: string | null } & Usage)[];
  /** At most 50; `team_id` is empty for keys of no team. */
  teams: ({ team_id: string; team_alias: string | null } & Usage)[];
};

const dayMs = 86_400_000;
const shownMax = 50;
/** Calls of a day may be written down so much later. */
const lateMs = 3_600_000;

/** Sums up the usage of a team, or of all for null. Whether the reader may see it is the caller's to ask. */
export async function readUsage(
  db: Db,
  { teamId, days, now = new Date() }: { teamId: string | null; days: number; now?: Date },
): Promise<UsageReport> {
  const wanted = Array.from({ length: days }, (_, index) => toDay(now.getTime() - (days - 1 - index) * dayMs));
  const to = toDay(now.getTime());
  const from = wanted[0] ?? to;
  const sums = await sumUsage(db, { teamId, from, before: null, over: toDay(now.getTime() - lateMs) });
  return {
    from,
    to,
    total: [...sums.day.values()].reduce(addUsage, noUsage),
    days: wanted.map((day) => ({ day, ...(sums.day.get(day) ?? noUsage) })),
    models: dearest(sums.model).map(([model, usage]) => ({ model, ...usage })),
    keys: await nameKeys(db, dearest(sums.key)),
    teams: await nameTeams(db, dearest(sums.team)),
  };
}

function dearest(sums: ReadonlyMap<string, Usage>): [string, Usage][] {
  return [...sums].sort(([, left], [, right]) => right.usd - left.usd || right.calls - left.calls).slice(0, shownMax);
}

async function nameKeys(db: Db, rows: readonly [string, Usage][]): Promise<UsageReport["keys"]> {
  const former = await db.formerToken.findMany({
    where: { token: { in: rows.map(([token]) => token) } },
    select: { token: true, keyToken: true },
  });
  const now = new Map(former.map(({ token, keyToken }) => [token, keyToken]));
  const sums = new Map<string, Usage>();
  for (const [called, usage] of rows) {
    const token = now.get(called) ?? called;
    sums.set(token, addUsage(sums.get(token) ?? noUsage, usage));
  }
  const keys = await db.key.findMany({
    where: { token: { in: [...sums.keys()] } },
    select: { token: true, alias: true, keyName: true },
  });
  const names = new Map(keys.map(({ token, alias, keyName }) => [token, alias ?? keyName]));
  return [...sums].map(([token, usage]) => ({ token, name: names.get(token) ?? null, ...usage }));
}

async function nameTeams(db: Db, rows: readonly [string, Usage][]): Promise<UsageReport["teams"]> {
  const ids = rows.map(([teamId]) => teamId);
  const teams = await db.team.findMany({ where: { id: { in: ids } }, select: { id: true, alias: true } });
  const aliases = new Map(teams.map(({ id, alias }) => [id, alias]));
  return rows.map(([teamId, usage]) => ({ team_id: teamId, team_alias: aliases.get(teamId) ?? null, ...usage }));
}

function toDay(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
