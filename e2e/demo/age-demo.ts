import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Db, openDatabase } from "#lib/db.ts";
import type { UsageDay } from "#lib/prisma/client.ts";

const dayMs = 86_400_000;
/** Within what deliveries are kept. */
const spanMs = 6.8 * dayMs;
/** What waits longer is given up. */
const waitingMs = 2.5 * dayMs;

/** Spreads what a stopped gateway has in its data directory over the week before now. */
export async function ageDemo(dataDir: string, nowMs = Date.now()): Promise<void> {
  ageDeliveries(join(dataDir, "queue", "records.sqlite"), nowMs);
  const database = await openDatabase({ url: null, dataDir: join(dataDir, "postgres") });
  try {
    await database.db.$executeRaw`UPDATE "Team" SET "createdAt" = "createdAt" - interval '9 days'`;
    await database.db.$executeRaw`UPDATE "Key" SET "createdAt" = "createdAt" - interval '8 days'`;
    await database.db.$executeRaw`
      UPDATE "AuditEntry" SET "createdAt" = "createdAt" - interval '8 days' + interval '9 hours' * aged.place
      FROM (SELECT id AS aged_id, row_number() OVER (ORDER BY "createdAt", id) AS place FROM "AuditEntry") aged
      WHERE id = aged_id`;
    await ageUsage(database.db, nowMs);
  } finally {
    await database.close();
  }
}

function ageDeliveries(path: string, nowMs: number): void {
  const file = new DatabaseSync(path);
  try {
    const records = file.prepare("SELECT record_id FROM delivery GROUP BY record_id ORDER BY min(id)").all();
    const age = file.prepare(
      `UPDATE delivery SET settled_at_ms = settled_at_ms - created_at_ms + :to,
        created_at_ms = CASE state WHEN 0 THEN max(:to, :waiting) ELSE :to END WHERE record_id = :id`,
    );
    const times = timesOfWeek(records.length, nowMs);
    file.exec("BEGIN");
    for (const [position, { record_id: id }] of records.entries())
      age.run({ to: times[position] ?? nowMs, waiting: nowMs - waitingMs, id: String(id) });
    file.exec("COMMIT");
  } finally {
    file.close();
  }
}

/** Calls of the same week, so that charts have a history; what they add up to stays. */
async function ageUsage(db: Db, nowMs: number): Promise<void> {
  const rows = await db.usageDay.findMany();
  const aged = rows.flatMap((row, position) => spreadOut(row, timesOfWeek(row.calls, nowMs, position)));
  await db.usageDay.deleteMany();
  await db.usageDay.createMany({ data: aged });
}

function spreadOut(row: UsageDay, times: readonly number[]): UsageDay[] {
  const first = row.day.getTime() - 6 * dayMs;
  const byDay = Map.groupBy(times, (time) => Math.max(first, Math.floor(time / dayMs) * dayMs));
  let before = 0;
  return [...byDay].map(([day, { length: calls }]) => {
    const [from, to] = [before / row.calls, (before + calls) / row.calls];
    const partOf = (whole: number): number => Math.round(whole * to) - Math.round(whole * from);
    before += calls;
    return {
      ...row,
      day: new Date(day),
      calls,
      failures: partOf(row.failures),
      promptTokens: BigInt(partOf(Number(row.promptTokens))),
      completionTokens: BigInt(partOf(Number(row.completionTokens))),
      usd: row.usd * (to - from),
    };
  });
}

/** So many moments of the week before now, in order: more by day than by night, fewer on the last days of a week. */
function timesOfWeek(count: number, nowMs: number, position = 0): number[] {
  const times: number[] = [];
  let seed = 42 + position;
  const random = (): number => {
    seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return seed / 2 ** 32;
  };
  while (times.length < count) {
    const time = nowMs - 60_000 - Math.floor(random() * spanMs);
    const at = new Date(time);
    const byHour = 0.15 + 0.85 * Math.max(0, Math.sin(((at.getUTCHours() - 5) / 15) * Math.PI));
    const byDay = [0, 6].includes(at.getUTCDay()) ? 0.4 : 1;
    if (random() < byHour * byDay) times.push(time);
  }
  return times.sort((first, second) => first - second);
}
