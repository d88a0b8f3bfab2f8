import { addUsage, takeUsage, type UsageCount } from "#gateway/spend/usage-counts.ts";
import type { Database } from "#lib/db.ts";
import { currentLogger } from "#lib/logger.ts";
import { NotStored, type RefusedRow, storeEach } from "#lib/refused-value.ts";
import { startStoringCounts } from "#lib/store-counts.ts";

/**
 * Adds what was counted to the days in the database. If it cannot be stored now, it is counted on. A row that the
 * database refuses keeps no other one out; our own log has its numbers.
 */
export async function keepUsage(db: Database["db"]): Promise<void> {
  const counts = takeUsage();
  // Always in the same order, so that two gateways never wait for each other.
  const rows = counts.toSorted((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
  try {
    report(await storeEach(rows, (some) => store(db, some)));
  } catch (error) {
    if (!(error instanceof NotStored)) throw error;
    report(error.refused);
    const left: ReadonlySet<unknown> = new Set(error.left);
    for (const row of rows) if (left.has(row)) addUsage(row);
    throw error;
  }
}

function report(refused: readonly RefusedRow<UsageCount>[]): void {
  for (const { row, error } of refused) {
    currentLogger().error({ usage: row, error: String(error) }, "usage was refused by the database and is not counted");
  }
}

/**
 * Does so every two seconds; the returned function ends it, after a last time. A process that is killed takes what it
 * counted since with it: usage is for people to look at, and budgets go by the spend of keys and teams, which is safe.
 */
export function startKeepingUsage(db: Database["db"]): () => Promise<void> {
  return startStoringCounts(() => keepUsage(db), "usage could not be stored now; it is counted on");
}

async function store(db: Database["db"], rows: readonly UsageCount[]): Promise<void> {
  const of = <Value>(read: (count: UsageCount) => Value): Value[] => rows.map(read);
  await db.$executeRaw`
    INSERT INTO "UsageDay" AS known
      ("day", "teamId", "keyToken", "model", "calls", "failures", "promptTokens", "completionTokens", "usd")
    SELECT day::date, team, key, model, calls, failures, prompt, completion, usd
    FROM unnest(
      ${of(({ day }) => day)}::text[], ${of(({ team }) => team)}::text[], ${of(({ key }) => key)}::text[],
      ${of(({ model }) => model)}::text[], ${of(({ calls }) => calls)}::int[], ${of(({ failures }) => failures)}::int[],
      ${of(({ promptTokens }) => BigInt(promptTokens))}::bigint[],
      ${of(({ completionTokens }) => BigInt(completionTokens))}::bigint[], ${of(({ usd }) => usd)}::float8[]
    ) AS fresh(day, team, key, model, calls, failures, prompt, completion, usd)
    ON CONFLICT ("teamId", "day", "keyToken", "model") DO UPDATE SET
      "calls" = known."calls" + excluded."calls",
      "failures" = known."failures" + excluded."failures",
      "promptTokens" = known."promptTokens" + excluded."promptTokens",
      "completionTokens" = known."completionTokens" + excluded."completionTokens",
      "usd" = known."usd" + excluded."usd"`;
}

function nameOf({ team, day, key, model }: UsageCount): string {
  return `${team}\0${day}\0${key}\0${model}`;
}
