import type { Database } from "#lib/db.ts";
import { currentLogger } from "#lib/logger.ts";

const everyMs = 600_000;

/**
 * Removes changes that every live process has seen long ago, and processes that ended long ago; now and every ten
 * minutes. A process that was away for longer drops everything when it is back.
 */
export async function startPruning(db: Database["db"]): Promise<void> {
  await prune(db);
  const timer = setInterval(() => {
    prune(db).catch((error: unknown) => {
      currentLogger().warn({ error: String(error) }, "old policy changes could not be removed");
    });
  }, everyMs);
  timer.unref();
}

/** The newest change stays, so that followers can tell that none is missing. */
async function prune(db: Database["db"]): Promise<void> {
  await db.$executeRaw`
    DELETE FROM "PolicyChange" WHERE "createdAt" < clock_timestamp() - interval '1 hour'
      AND version < (SELECT max(version) FROM "PolicyChange")`;
  await db.$executeRaw`DELETE FROM "Replica" WHERE "heartbeatAt" < clock_timestamp() - interval '1 hour'`;
}
