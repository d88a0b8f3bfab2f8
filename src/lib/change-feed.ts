import { randomUUID } from "node:crypto";
import type pg from "pg";
import { z } from "zod";
import { makeLastingClient, type LastingClient } from "#lib/lasting-client.ts";
import { currentLogger } from "#lib/logger.ts";
import { monotonicMs } from "#lib/monotonic.ts";
import { leaseMs } from "#lib/replicas.ts";

/** One committed change of something that processes keep copies of. Versions are in the order of the commits. */
export type Change = { version: bigint; subject: string; subjectId: string; createdAt: Date };

/** What a process does about changes. */
export type ChangeFollower = {
  /** Drops every copy of what changed; `everything` where some changes are not known. Throws to be called again. */
  apply(changes: readonly Change[] | "everything"): Promise<void>;
  /** Until when (on the clock of `monotonicMs`) this process may act on its copies; never moves back. */
  onLease(untilMs: number): void;
};

/** This process among those that share a database. */
export type ChangeFeed = {
  replicaId: string;
  /** Starts to follow; changes since the feed was opened come first. */
  follow(follower: ChangeFollower): void;
  /** Ends the lease and takes this process off the list. */
  stop(): Promise<void>;
};

/** How often the newest version is looked at: what NOTIFY lost is found in this time, in milliseconds. */
const pollMs = 400;
const heartbeatMs = 1_000;
/** With more changes at once it is cheaper to drop everything. */
const changesMax = 1_000;
const channel = "sluice_policy";

const Changes = z.array(
  z.object({ version: z.coerce.bigint(), subject: z.string(), subjectId: z.string(), createdAt: z.date() }),
);
const Newest = z.tuple([z.object({ version: z.coerce.bigint() })]);

/**
 * Puts this process on the list of those that share the database. From now on whoever waits for a confirmation waits
 * for it too; what it reads from the database after this holds until `follow` says otherwise.
 */
export async function openChangeFeed(connection: pg.ClientConfig): Promise<ChangeFeed> {
  const replicaId = randomUUID();
  let wake = (): void => undefined;
  const client = makeLastingClient(connection, channel, () => {
    wake();
  });
  const state = { applied: await newestVersion(client), lastBeatMs: 0, isStopped: false };

  async function beat(): Promise<void> {
    const startedMs = monotonicMs();
    await client.query(
      `INSERT INTO "Replica" (id, "heartbeatAt", "appliedVersion") VALUES ($1, clock_timestamp(), $2)
       ON CONFLICT (id) DO UPDATE SET "heartbeatAt" = clock_timestamp(), "appliedVersion" = $2`,
      [replicaId, state.applied.toString()],
    );
    state.lastBeatMs = startedMs;
  }
  await beat();
  const heartbeat = setInterval(() => {
    beat().catch(() => undefined);
  }, heartbeatMs);
  let following: Promise<void> | null = null;

  async function run(follower: ChangeFollower): Promise<void> {
    const report = makeReport();
    const isStopped = (): boolean => state.isStopped;
    while (!isStopped()) {
      const woken = new Promise<void>((resolve) => (wake = resolve));
      try {
        const beatMs = state.lastBeatMs;
        const applied = await catchUp(client, state.applied, follower);
        const isNew = applied !== state.applied;
        state.applied = applied;
        if (isNew) await beat();
        // Only a heartbeat from before this look counts: whoever saw us silent then had committed before it.
        follower.onLease(beatMs + leaseMs);
        report.succeeded();
      } catch (error) {
        // What was asked of others that have stopped already is no news.
        if (!isStopped()) report.failed(error);
      }
      const timer = setTimeout(() => {
        wake();
      }, pollMs);
      await woken;
      clearTimeout(timer);
    }
  }

  return {
    replicaId,
    follow(follower) {
      following ??= run(follower);
    },
    async stop() {
      state.isStopped = true;
      clearInterval(heartbeat);
      wake();
      await following;
      await client.query('DELETE FROM "Replica" WHERE id = $1', [replicaId]).catch(() => undefined);
      await client.close();
    },
  };
}

/** Hands over what was committed after `applied` and returns the version that is applied then. */
async function catchUp(client: LastingClient, applied: bigint, follower: ChangeFollower): Promise<bigint> {
  const found = Changes.parse(
    await client.query(
      `SELECT version, subject, "subjectId", "createdAt" FROM "PolicyChange" WHERE version >= $1
       ORDER BY version LIMIT $2`,
      [applied.toString(), changesMax + 2],
    ),
  );
  const [first, ...changes] = found;
  // Old changes go from the oldest on: while the last one that was applied is there, no later one is missing.
  if (first?.version !== applied || changes.length > changesMax) {
    const newest = await newestVersion(client);
    await follower.apply("everything");
    return newest;
  }
  if (changes.length > 0) await follower.apply(changes);
  return changes.at(-1)?.version ?? applied;
}

async function newestVersion(client: LastingClient): Promise<bigint> {
  const rows = await client.query('SELECT coalesce(max(version), 0) AS version FROM "PolicyChange"');
  const [{ version }] = Newest.parse(rows);
  return version;
}

/** Says once that changes cannot be followed, and once that they can again. */
function makeReport(): { succeeded(): void; failed(error: unknown): void } {
  let isFailing = false;
  return {
    succeeded() {
      if (isFailing) currentLogger().info("changes by other gateways are followed again");
      isFailing = false;
    },
    failed(error) {
      const message = error instanceof Error ? error.message : String(error);
      if (!isFailing) currentLogger().warn({ error: message }, "changes by other gateways cannot be followed now");
      isFailing = true;
    },
  };
}
