import { randomUUID } from "node:crypto";
import type pg from "pg";
import type { Keyring } from "#lib/seal.ts";
import { makeAppend } from "#logging/queue/database-append.ts";
import { makeBuryAged } from "#logging/queue/database-bury.ts";
import { makeClaim } from "#logging/queue/database-claim.ts";
import { makeFind } from "#logging/queue/database-find.ts";
import { makeDatabaseLeases } from "#logging/queue/database-leases.ts";
import { makeList } from "#logging/queue/database-list.ts";
import { openQueuePool } from "#logging/queue/database-pool.ts";
import type { NewRows } from "#logging/queue/database-rows.ts";
import { makeRetained } from "#logging/queue/database-retained.ts";
import { makeRemove } from "#logging/queue/database-remove.ts";
import { makeRevise } from "#logging/queue/database-revise.ts";
import { makeSettle } from "#logging/queue/database-settle.ts";
import { makeSweep } from "#logging/queue/database-sweep.ts";
import type { Queue } from "#logging/queue/queue.ts";
import { toFind } from "#logging/queue/to-find.ts";

/** Which PostgreSQL holds the queue and what seals it. `now` is the clock of sealing, appending and suppressing. */
export type DatabaseQueueOptions = {
  connection: pg.ClientConfig;
  keyring: Keyring;
  /** Connections at most. Default 6. */
  connectionsMax?: number;
  /** Whose leases this process takes, for `release`. Default: nobody else's. */
  owner?: string;
  /** What was delivered keeps its content until `expire`. */
  keepsContent?: boolean;
  now?: () => Date;
};

/** A queue in PostgreSQL, and what moving another queue into it needs. */
export type DatabaseQueue = Queue & {
  /** Content ids that no other process has. */
  takeContentIds(count: number): Promise<Iterator<number>>;
  /** Adds rows in any state. What is there already stays as it is. */
  insert(rows: NewRows): Promise<void>;
  /** Ends the leases of an owner that is dead, so that nobody waits for them. */
  release(owner: string): Promise<void>;
  /** Resolves where PostgreSQL answers. */
  ping(): Promise<void>;
};

/**
 * The queue in PostgreSQL, for any number of processes at the same time. The tables come with the migrations. Nothing
 * is connected before the first call, and every call throws where PostgreSQL is away. Leases outlive the process that
 * took them and end by their time alone.
 */
export function openDatabaseQueue(options: DatabaseQueueOptions): DatabaseQueue {
  const { connection, keyring, connectionsMax = 6, owner = randomUUID(), now = () => new Date() } = options;
  const { keepsContent = false } = options;
  const pool = openQueuePool(connection, connectionsMax);
  const leases = makeDatabaseLeases();
  const sealer = { keyring, now };
  const { append, insert, takeIds } = makeAppend(pool, sealer);
  const find = toFind(makeFind(pool));
  const sweep = makeSweep(pool);
  const { purge, expire } = makeRemove(pool, sweep, now);
  let closing: Promise<void> | null = null;

  return {
    append,
    claim: makeClaim({ pool, leases, sealer, owner }),
    settle: makeSettle(pool, leases, { keepsContent }),
    purge,
    find,
    expire,
    retained: makeRetained(pool, sealer),
    async hasten({ laterThanMs, nowMs }) {
      await pool.query(hastenText, [nowMs, laterThanMs]);
    },
    buryAged: makeBuryAged(sweep),
    list: makeList(pool),
    revise: makeRevise(sweep),
    takeContentIds: takeIds,
    insert,
    async sizes() {
      const [row] = await pool.query<{ bytes: number }>(sizeText);
      return [{ place: "database", bytes: row?.bytes ?? 0 }];
    },
    async release(dead) {
      await pool.query(releaseText, [dead]);
    },
    async ping() {
      await pool.query("SELECT 1", [], { timeoutMs: 3_000 });
    },
    close: () => (closing ??= pool.close()),
  };
}

/**
 * Another gateway may hold some of it: that is settled by its lease, whatever the row says of its time. A lease that ends
 * too late was made by a clock that was ahead; the gateway that took it can still settle with it.
 */
const hastenText = `
  UPDATE queue_delivery SET due_at_ms = least(due_at_ms, CASE WHEN due_at_ms > $2::bigint THEN $1::bigint END),
      lease_until_ms = CASE WHEN lease_until_ms > $2::bigint THEN 0 ELSE lease_until_ms END
    WHERE state = 0 AND (due_at_ms > $2::bigint OR lease_until_ms > $2::bigint)`;

const sizeText = `
  SELECT pg_total_relation_size('queue_delivery') + pg_total_relation_size('queue_content') AS bytes`;

/** Only what is pending is looked at, through its index. */
const releaseText = `
  UPDATE queue_delivery SET lease_until_ms = 0, lease_id = 0, lease_owner = NULL
    WHERE state = 0 AND lease_id > 0 AND lease_owner = $1`;
