import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { stateCell } from "#lib/state.ts";

/** How long a process counts as live after its last heartbeat, in milliseconds. */
export const leaseMs = 5_000;

/** The id of this process among those on the same database; not set with the embedded one, which has no others. */
export const replicaIdState = stateCell<string>("replica-id");

/** Who has taken over a write. */
export type Confirmation = {
  /** The version of the newest change that they have taken over. */
  version: bigint;
  /** Replicas beside this one that have, in no order. */
  confirmedIds: readonly string[];
  /** Replicas that ended, or lost the database, before they had: their lease is over, so they send nothing. */
  lapsedIds: readonly string[];
};

const pollMs = 40;
const Version = z.tuple([z.object({ version: z.bigint() })]);
const Replicas = z.array(z.object({ id: z.string(), hasConfirmed: z.boolean(), isLive: z.boolean() }));

/**
 * Resolves when every other live process on this database has taken over what was committed before the call; one that
 * is silent is waited for until its lease ends. Throws `unavailable` where a live one has not after `timeoutMs`: the
 * write stands, and is being carried out there.
 */
export async function confirmEverywhere(db: Database["db"], timeoutMs = 20_000): Promise<Confirmation> {
  const ownId = replicaIdState.find() ?? "";
  const [{ version }] = Version.parse(
    await db.$queryRaw`SELECT coalesce(max(version), 0)::bigint AS version FROM "PolicyChange"`,
  );
  const seenLive = new Set<string>();
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const replicas = Replicas.parse(
      await db.$queryRaw`
        SELECT id, "appliedVersion" >= ${version} AS "hasConfirmed",
          "heartbeatAt" > clock_timestamp() - make_interval(secs => ${leaseMs / 1000}) AS "isLive"
        FROM "Replica" WHERE id <> ${ownId}`,
    );
    const waitedFor = replicas.filter((replica) => replica.isLive && !replica.hasConfirmed);
    for (const { id } of replicas.filter((replica) => replica.isLive)) seenLive.add(id);
    if (waitedFor.length === 0) {
      const confirmedIds = replicas.filter((replica) => replica.hasConfirmed && seenLive.has(replica.id));
      const confirmed = new Set(confirmedIds.map(({ id }) => id));
      return { version, confirmedIds: [...confirmed], lapsedIds: [...seenLive].filter((id) => !confirmed.has(id)) };
    }
    if (performance.now() > endMs) {
      const names = waitedFor.map(({ id }) => id).join(", ");
      throw new AppError("unavailable", `The change is stored, but not confirmed by every gateway yet: ${names}.`);
    }
    await sleep(pollMs);
  }
}

/** How many other processes on this database are live. */
export async function countOtherReplicas(db: Database["db"]): Promise<number> {
  const ownId = replicaIdState.find() ?? "";
  const [{ others }] = Count.parse(
    await db.$queryRaw`
      SELECT count(*)::int AS others FROM "Replica"
      WHERE id <> ${ownId} AND "heartbeatAt" > clock_timestamp() - make_interval(secs => ${leaseMs / 1000})`,
  );
  return others;
}

const Count = z.tuple([z.object({ others: z.number() })]);
