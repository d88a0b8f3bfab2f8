import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { buildIndex, errorCode } from "#lib/build-index.ts";
import { AppError } from "#lib/errors.ts";
import { currentLogger } from "#lib/logger.ts";
import { isIncompatible, type Migration, readMigrations } from "#lib/migration-files.ts";

/** Where the migrations are, and how long one start waits for other sessions, and for a server that is not ready. */
export type MigrateOptions = { directory?: string; patienceMs?: number; reachPatienceMs?: number };

/** Any number that only we use for this purpose. Former builds took 72153001 for their session, which poolers leak. */
const advisoryLock = 72_153_003;

/** Traffic queues behind a statement that waits for a lock on its table, so it gives up soon and comes back later. */
const lockTimeout = "1s";
/** A gateway that stops answering while it holds the lock loses it after this long. */
const idleTimeout = "60s";
const heartbeatMs = 10_000;
const pollMs = 250;
const retryMs = 1_500;
const patienceDefaultMs = 600_000;
const reachRetryMs = 1_000;
const reachPatienceDefaultMs = 60_000;

/** Lock timeout, deadlock, serialization failure. */
const passingCodes = new Set(["55P03", "40P01", "40001"]);

/**
 * A server that comes back by itself: it stops, crashed or starts, or has no connection left. A pooler answers 08P01
 * while its server is away, and PgBouncer for another 15 s.
 */
const comingBackCode = /^(?:08P01|57P0[1-3]|53300)$/;

type Run = { client: pg.Client; connection: pg.ClientConfig; waiting: Waiting };

/**
 * Applies the migrations that the database lacks, one process at a time. Keeps Prisma's own `_prisma_migrations` table,
 * so that `prisma migrate deploy` works on the same database.
 *
 * Each migration runs in a transaction with its row in the table. A migration that only builds indexes runs outside of
 * one, so that the tables stay in use; a build that was broken off is made again. The lock belongs to a transaction, so
 * it works behind a transaction pooler and ends with its holder. Without anything to apply no lock is taken.
 *
 * A server that is starting, or whose pooler does not let us in yet, is asked again. One that does not exist is not.
 *
 * Throws an `AppError` if a newer build has made the database unusable for this one, or if waiting takes too long.
 */
export async function migrate(connection: pg.ClientConfig, options: MigrateOptions = {}): Promise<void> {
  const { reachPatienceMs = reachPatienceDefaultMs } = options;
  const reaching = makeWaiting(reachPatienceMs, "look at the database and at the pooler in front of it");
  for (;;) {
    try {
      await migrateOnce(connection, options);
      return;
    } catch (error) {
      if (!comingBackCode.test(errorCode(error))) throw error;
      await reaching.pause(reachRetryMs, { cause: String(error) }, "the database accepts no connections yet");
    }
  }
}

async function migrateOnce(connection: pg.ClientConfig, options: MigrateOptions): Promise<void> {
  const { directory = join(import.meta.dirname, "../../prisma/migrations"), patienceMs = patienceDefaultMs } = options;
  const migrations = readMigrations(directory);
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 10_000 });
  await client.connect();
  // A connection that is lost while it is idle fails the next statement, and must not end the process.
  client.on("error", () => undefined);
  const run = { client, connection, waiting: makeWaiting(patienceMs, longTransactions) };
  try {
    for (;;) {
      const next = findPending(migrations, await readApplied(client));
      if (next === null) return;
      await applyUnderLock(run, next);
    }
  } finally {
    await client.end().catch(() => undefined);
  }
}

const longTransactions = "look for transactions that stay open in pg_stat_activity, end them";

/** The migrations that the database has, with their checksums. */
async function readApplied(client: pg.Client): Promise<Map<string, string>> {
  const { rows: tables } = await client.query<{ found: boolean }>(
    `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS found`,
  );
  if (tables[0]?.found !== true) return new Map();
  const { rows } = await client.query<{ migration_name: string; checksum: string }>(
    "SELECT migration_name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL",
  );
  return new Map(rows.map((row) => [row.migration_name, row.checksum]));
}

/** The first migration that the database lacks. Throws if this build must not run on the database. */
function findPending(migrations: readonly Migration[], applied: ReadonlyMap<string, string>): Migration | null {
  const known = new Set(migrations.map(({ name }) => name));
  const incompatible = [...applied.keys()].filter((name) => !known.has(name) && isIncompatible(name));
  if (incompatible.length > 0) {
    throw new AppError(
      "conflict",
      `A newer version of Sluice has changed the database, and this version cannot run on it (${incompatible.join(", ")}). ` +
        "Fix: start the newer version, or restore a backup of the database from before that change.",
    );
  }
  for (const { name, checksum } of migrations) {
    if (applied.has(name) && applied.get(name) !== checksum) {
      throw new Error(`The migration ${name} was changed after it was applied to this database.`);
    }
  }
  return migrations.find(({ name }) => !applied.has(name)) ?? null;
}

/** Applies one migration if it is still missing once this process has the lock; otherwise does nothing. */
async function applyUnderLock(run: Run, migration: Migration): Promise<void> {
  const { client, waiting } = run;
  await client.query("BEGIN");
  try {
    // A time limit of the role or the database is meant for calls. A migration of a large table may take longer.
    await client.query(
      `SET LOCAL lock_timeout = '${lockTimeout}'; SET LOCAL statement_timeout = 0;
       SET LOCAL idle_in_transaction_session_timeout = '${idleTimeout}'`,
    );
    // Asked again and again: a statement that waits holds a snapshot, and a concurrent index build waits for those.
    const { rows } = await client.query<{ taken: boolean }>("SELECT pg_try_advisory_xact_lock($1) AS taken", [
      advisoryLock,
    ]);
    if (rows[0]?.taken !== true) {
      await client.query("ROLLBACK");
      await waiting.pause(pollMs, { migration: migration.name }, "another gateway is changing the database");
      return;
    }
    await client.query(migrationsTable);
    if (!(await readApplied(client)).has(migration.name)) await apply(run, migration);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    await handleFailure(run, migration, error);
  }
}

async function apply({ client, connection, waiting }: Run, { name, sql, checksum, indexes }: Migration): Promise<void> {
  if (indexes === null) await client.query(sql);
  else if (await isEmbedded(client)) await client.query(sql.replaceAll("INDEX CONCURRENTLY", "INDEX"));
  else {
    const builder = new pg.Client({ ...connection, connectionTimeoutMillis: 10_000 });
    await builder.connect();
    builder.on("error", () => undefined);
    // Keeps the lock, and says why the start takes so long.
    const heartbeat = setInterval(() => {
      currentLogger().info({ migration: name }, "indexes are being built; the gateway is ready when they are");
      client.query("SELECT 1").catch(() => undefined);
    }, heartbeatMs);
    try {
      for (const index of indexes) {
        await buildIndex(builder, index, () => {
          waiting.check(`the index ${index.name}`);
        });
      }
    } finally {
      clearInterval(heartbeat);
      await builder.end();
    }
  }
  await client.query(
    `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, started_at, applied_steps_count)
     VALUES ($1, $2, now(), $3, now(), 1)`,
    [randomUUID(), checksum, name],
  );
}

/** Returns if the migration may be tried again, or was applied by somebody else meanwhile. */
async function handleFailure({ client, waiting }: Run, { name }: Migration, error: unknown): Promise<void> {
  // A server that goes away is asked again from the beginning.
  if (error instanceof AppError || comingBackCode.test(errorCode(error))) throw error;
  const cause = error instanceof Error ? error.message : String(error);
  if (passingCodes.has(errorCode(error))) {
    const reason = "a migration waits for other transactions to end, and lets the traffic pass meanwhile";
    await waiting.pause(retryMs, { migration: name, cause }, reason);
    return;
  }
  const applied = await readApplied(client).catch(() => new Map<string, string>());
  if (applied.has(name)) return;
  throw new Error(`The migration ${name} failed; the database is as it was before.`, { cause: error });
}

/** PGlite has one session, and nobody else to keep waiting. */
async function isEmbedded(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ version: string }>("SELECT version()");
  return rows[0]?.version.includes("PGlite") ?? false;
}

type Waiting = {
  /** Waits, and says so from time to time. Throws an `AppError` if this start has waited for too long. */
  pause(ms: number, details: Record<string, string>, reason: string): Promise<void>;
  /** Throws that error if the time is over. */
  check(waitedFor: string): void;
};

function makeWaiting(patienceMs: number, fix: string): Waiting {
  const endMs = performance.now() + patienceMs;
  let saidMs = Number.NEGATIVE_INFINITY;

  function check(waitedFor: string): void {
    if (performance.now() < endMs) return;
    throw new AppError(
      "unavailable",
      `The database could not be brought up to date: ${waitedFor}. Fix: ${fix}, and start again.`,
    );
  }

  return {
    check,
    async pause(ms, details, reason) {
      check(reason);
      if (performance.now() > saidMs + heartbeatMs) {
        saidMs = performance.now();
        currentLogger().warn(details, `${reason}; the start waits`);
      }
      await sleep(ms);
    },
  };
}

/** Prisma's own bookkeeping table, as `prisma migrate deploy` makes it. */
const migrationsTable = `
  CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id" VARCHAR(36) NOT NULL PRIMARY KEY,
    "checksum" VARCHAR(64) NOT NULL,
    "finished_at" TIMESTAMPTZ,
    "migration_name" VARCHAR(255) NOT NULL,
    "logs" TEXT,
    "rolled_back_at" TIMESTAMPTZ,
    "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count" INTEGER NOT NULL DEFAULT 0
  )`;
