import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { currentLogger } from "#lib/logger.ts";
import type { IndexBuild } from "#lib/migration-files.ts";

/** Gives up waiting for a lock or for an old transaction after this long, and tries again. */
const lockTimeout = "60s";
const pollMs = 500;
/** Lock timeout, deadlock, and an index that somebody else has made meanwhile. */
const passingCodes = new Set(["55P03", "40P01", "42P07"]);

/**
 * Builds an index while the table is in use, and drops first what a build that was broken off has left. Resolves at
 * once if the index is there. `client` is in no transaction. `checkTime` throws when waiting has taken too long.
 */
export async function buildIndex(client: pg.Client, index: IndexBuild, checkTime: () => void): Promise<void> {
  // Behind a transaction pooler a setting of the session would reach other clients. A build blocks no traffic without it.
  if (await isDirect(client)) await client.query(`SET lock_timeout = '${lockTimeout}'; SET statement_timeout = 0`);
  for (;;) {
    const state = await readState(client, index);
    if (state === "valid") return;
    if (state === "building") {
      checkTime();
      await sleep(pollMs);
      continue;
    }
    try {
      await client.query(state === "missing" ? index.sql : `DROP INDEX CONCURRENTLY IF EXISTS ${index.name}`);
    } catch (error) {
      if (!passingCodes.has(errorCode(error))) throw error;
      currentLogger().warn(
        { index: index.name, error: String(error) },
        "an index could not be built now, because transactions are open for long; trying again",
      );
      checkTime();
    }
  }
}

/** Whether the connection is a session of its own: a pooler gives out another process id than the server's. */
export async function isDirect(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  return "processID" in client && client.processID === rows[0]?.pid;
}

/** The SQLSTATE of an error; empty if it has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** `building`: the process that began it is dead, and its session goes on building. */
async function readState(
  client: pg.Client,
  { name }: IndexBuild,
): Promise<"missing" | "valid" | "building" | "broken"> {
  const { rows } = await client.query<{ valid: boolean; building: boolean }>(
    `SELECT indisvalid AS valid,
       EXISTS (SELECT 1 FROM pg_stat_progress_create_index WHERE index_relid = indexrelid) AS building
     FROM pg_index WHERE indexrelid = to_regclass($1)`,
    [name],
  );
  const [found] = rows;
  if (!found) return "missing";
  if (found.valid) return "valid";
  return found.building ? "building" : "broken";
}
