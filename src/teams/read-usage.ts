import type { Db } from "#lib/db.ts";
import { Prisma } from "#lib/prisma/client.ts";

/** What calls add up to; money in USD. */
export type Usage = {
  calls: number;
  failures: number;
  prompt_tokens: number;
  completion_tokens: number;
  usd: number;
};

/** The usage of the last days (UTC), whole and by what it is made of, the dearest first. */
export type UsageReport = {
  /** The first and the last of the days. */
  from: string;
  to: string;
  total: Usage;
  /** Every day, also those without a call. */
  days: ({ day: string } & Usage)[];
  /** `model` is empty for calls that reached no model. At most 100. */
  models: ({ model: string } & Usage)[];
  /** By the hash that the key has now. At most 100. */
  keys: ({ token: string; name: string | null } & Usage)[];
  /** At most 100; `team_id` is empty for keys of no team. */
  teams: ({ team_id: string; team_alias: string | null } & Usage)[];
};

const dayMs = 86_400_000;
const shownMax = 100;
const none: Usage = { calls: 0, failures: 0, prompt_tokens: 0, completion_tokens: 0, usd: 0 };

/** Sums up the usage of a team, or of all for null. Whether the reader may see it is the caller's to ask. */
export async function readUsage(
  db: Db,
  { teamId, days, now = new Date() }: { teamId: string | null; days: number; now?: Date },
): Promise<UsageReport> {
  const wanted = Array.from({ length: days }, (_, index) => toDay(now.getTime() - (days - 1 - index) * dayMs));
  const from = wanted[0] ?? toDay(now.getTime());
  const where = { day: { gte: new Date(from) }, ...(teamId === null ? {} : { teamId }) };
  const byDay = await db.usageDay.groupBy({ by: ["day"], where, _sum: summed });
  const found = new Map(byDay.map((row) => [toDay(row.day.getTime()), toUsage(row._sum)]));
  const byModel = await db.usageDay.groupBy({ by: ["model"], where, _sum: summed, ...dearest });
  return {
    from,
    to: toDay(now.getTime()),
    total: [...found.values()].reduce(plus, none),
    days: wanted.map((day) => ({ day, ...(found.get(day) ?? none) })),
    models: byModel.map((row) => ({ model: row.model, ...toUsage(row._sum) })),
    keys: await readKeys(db, where),
    teams: await readTeams(db, where),
  };
}

type Where = Prisma.UsageDayWhereInput;

const summed = { calls: true, failures: true, promptTokens: true, completionTokens: true, usd: true } as const;
const dearest = {
  orderBy: [{ _sum: { usd: Prisma.SortOrder.desc } }, { _sum: { calls: Prisma.SortOrder.desc } }],
  take: shownMax,
};

async function readKeys(db: Db, where: Where): Promise<UsageReport["keys"]> {
  const rows = await db.usageDay.groupBy({ by: ["keyToken"], where, _sum: summed, ...dearest });
  const tokens = rows.map(({ keyToken }) => keyToken);
  const former = await db.formerToken.findMany({
    where: { token: { in: tokens } },
    select: { token: true, keyToken: true },
  });
  const now = new Map(former.map(({ token, keyToken }) => [token, keyToken]));
  const sums = new Map<string, Usage>();
  for (const { keyToken, _sum } of rows) {
    const token = now.get(keyToken) ?? keyToken;
    sums.set(token, plus(sums.get(token) ?? none, toUsage(_sum)));
  }
  const keys = await db.key.findMany({
    where: { token: { in: [...sums.keys()] } },
    select: { token: true, alias: true, keyName: true },
  });
  const names = new Map(keys.map(({ token, alias, keyName }) => [token, alias ?? keyName]));
  return [...sums].map(([token, usage]) => ({ token, name: names.get(token) ?? null, ...usage }));
}

async function readTeams(db: Db, where: Where): Promise<UsageReport["teams"]> {
  const rows = await db.usageDay.groupBy({ by: ["teamId"], where, _sum: summed, ...dearest });
  const ids = rows.map(({ teamId }) => teamId);
  const teams = await db.team.findMany({ where: { id: { in: ids } }, select: { id: true, alias: true } });
  const aliases = new Map(teams.map(({ id, alias }) => [id, alias]));
  return rows.map(({ teamId, _sum }) => ({
    team_id: teamId,
    team_alias: aliases.get(teamId) ?? null,
    ...toUsage(_sum),
  }));
}

type Sums = {
  calls: number | null;
  failures: number | null;
  promptTokens: bigint | null;
  completionTokens: bigint | null;
  usd: number | null;
};

function toUsage({ calls, failures, promptTokens, completionTokens, usd }: Sums): Usage {
  return {
    calls: calls ?? 0,
    failures: failures ?? 0,
    prompt_tokens: Number(promptTokens ?? 0),
    completion_tokens: Number(completionTokens ?? 0),
    usd: usd ?? 0,
  };
}

function plus(left: Usage, right: Usage): Usage {
  return {
    calls: left.calls + right.calls,
    failures: left.failures + right.failures,
    prompt_tokens: left.prompt_tokens + right.prompt_tokens,
    completion_tokens: left.completion_tokens + right.completion_tokens,
    usd: left.usd + right.usd,
  };
}

function toDay(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
