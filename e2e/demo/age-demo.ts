import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openDatabase } from "#lib/db.ts";

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

/** So many moments of the week before now, in order: more by day than by night, fewer on the last days of a week. */
function timesOfWeek(count: number, nowMs: number): number[] {
  const times: number[] = [];
  let seed = 42;
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
