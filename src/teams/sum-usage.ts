import { LRUCache } from "lru-cache";
import type { Db } from "#lib/db.ts";
import { Prisma } from "#lib/prisma/client.ts";
import { stateCell } from "#lib/state.ts";

/** What calls add up to; money in USD. */
export type Usage = {
  calls: number;
  failures: number;
  prompt_tokens: number;
  completion_tokens: number;
  usd: number;
};

/** What usage is summed up by. */
export const usageKinds = ["day", "model", "key", "team"] as const;

/** Usage by day, by model, by key (as it was called with) and by team, each by name. */
export type UsageSums = Record<(typeof usageKinds)[number], Map<string, Usage>>;

/** Which rows: of a team, or of all for null; from one day (UTC) to before another one, or to the last for null. */
export type UsageSpan = { teamId: string | null; from: string; before: string | null };

/** Nothing used. */
export const noUsage: Usage = { calls: 0, failures: 0, prompt_tokens: 0, completion_tokens: 0, usd: 0 };

/** What was counted late, for example while the database was away, is seen after this time. */
const pastMs = 300_000;
/** What goes on is summed up anew for every reader, but not more often than this where it is much. */
const presentMs = 10_000;
const muchKeysMin = 500;
const keptSpansMax = 200;
/** More keys than these would be too much memory for what it spares. */
const keptKeysMax = 5_000;

const sumsState = stateCell<LRUCache<string, UsageSums>>("usageSums");

/**
 * Sums up a span, `over` being the first day that calls may still be added to. What is before that is remembered for five
 * minutes, and what goes on for ten seconds where it is of more than 500 keys, so that a report which is read again and
 * again costs little however much it sums up.
 */
export async function sumUsage(db: Db, { over, ...span }: UsageSpan & { over: string }): Promise<UsageSums> {
  if (span.from >= over) return sumPresent(db, span);
  const past = await sumOnce(db, { ...span, before: over }, () => pastMs);
  return addSums(past, await sumPresent(db, { ...span, from: over }));
}

function sumPresent(db: Db, span: UsageSpan): Promise<UsageSums> {
  return sumOnce(db, span, ({ key }) => (key.size > muchKeysMin ? presentMs : 0));
}

/** Sums up a span, or gives what is remembered of it. `keepMs` says for how long to remember; 0: not. */
async function sumOnce(db: Db, span: UsageSpan, keepMs: (sums: UsageSums) => number): Promise<UsageSums> {
  const kept = keptSums();
  const name = JSON.stringify(span);
  const known = kept.get(name);
  if (known) return known;
  const sums = await readSums(db, span);
  const ttl = keepMs(sums);
  if (ttl > 0 && sums.key.size <= keptKeysMax) kept.set(name, sums, { ttl });
  return sums;
}

function keptSums(): LRUCache<string, UsageSums> {
  const known = sumsState.find();
  if (known) return known;
  const made = new LRUCache<string, UsageSums>({ max: keptSpansMax });
  sumsState.set(made);
  return made;
}

type Row = { kind: number; name: string } & Usage;

/** One pass over the rows, whatever they are summed up by. */
async function readSums(db: Db, { teamId, from, before }: UsageSpan): Promise<UsageSums> {
  const until = before === null ? Prisma.empty : Prisma.sql`AND "day" < ${before}::date`;
  const ofTeam = teamId === null ? Prisma.empty : Prisma.sql`AND "teamId" = ${teamId}`;
  const rows = await db.$queryRaw<Row[]>`
    SELECT GROUPING("day", "model", "keyToken", "teamId") AS kind,
      coalesce(to_char("day", 'YYYY-MM-DD'), "model", "keyToken", "teamId") AS name,
      sum("calls")::float8 AS calls, sum("failures")::float8 AS failures, sum("promptTokens")::float8 AS prompt_tokens,
      sum("completionTokens")::float8 AS completion_tokens, sum("usd") AS usd
    FROM "UsageDay" WHERE "day" >= ${from}::date ${until} ${ofTeam}
    GROUP BY GROUPING SETS (("day"), ("model"), ("keyToken"), ("teamId"))`;
  const sums: UsageSums = { day: new Map(), model: new Map(), key: new Map(), team: new Map() };
  for (const { kind, name, ...usage } of rows) sums[kindOf(kind)].set(name, usage);
  return sums;
}

/** `GROUPING` has a bit for each column that a row is not grouped by, the first column's being the highest. */
function kindOf(bits: number): (typeof usageKinds)[number] {
  return usageKinds[[7, 11, 13, 14].indexOf(bits)] ?? "day";
}

function addSums(left: UsageSums, right: UsageSums): UsageSums {
  const both = (kind: (typeof usageKinds)[number]): Map<string, Usage> => {
    const sums = new Map(left[kind]);
    for (const [name, usage] of right[kind]) sums.set(name, addUsage(sums.get(name) ?? noUsage, usage));
    return sums;
  };
  return { day: both("day"), model: both("model"), key: both("key"), team: both("team") };
}

/** Adds two usages. */
export function addUsage(left: Usage, right: Usage): Usage {
  return {
    calls: left.calls + right.calls,
    failures: left.failures + right.failures,
    prompt_tokens: left.prompt_tokens + right.prompt_tokens,
    completion_tokens: left.completion_tokens + right.completion_tokens,
    usd: left.usd + right.usd,
  };
}
