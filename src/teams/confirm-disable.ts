import type { Database } from "#lib/db.ts";
import { newRecordId } from "#lib/id.ts";
import { currentLogger } from "#lib/logger.ts";
import { confirmEverywhere, replicaIdState } from "#lib/replicas.ts";
import { deliveryState } from "#logging/delivery.ts";

/** What confirms where there is only one gateway. */
const onlyReplica = "this gateway";

/**
 * Writes this gateway's word that it has carried out the disable of a team: how many queued deliveries it removed, and
 * what became of a record of the team that it tried to queue as a test. Nothing where the team was never disabled.
 */
export async function confirmDisable(db: Database["db"], teamId: string, removed: number): Promise<void> {
  const disableId = await findOpenDisable(db, teamId);
  if (disableId === null) return;
  const canary = await sendCanary(teamId);
  if (canary === "queued") currentLogger().error({ teamId }, "a record of a disabled team could be queued");
  const replicaId = replicaIdState.find() ?? onlyReplica;
  await db.loggingDisableConfirmation.upsert({
    where: { disableId_replicaId: { disableId, replicaId } },
    create: { disableId, replicaId, removed, canary },
    update: { removed: { increment: removed }, canary },
    select: { disableId: true },
  });
}

/**
 * Resolves when every live gateway has carried out a team's newest disable, and keeps since when it is effective.
 * Throws `unavailable` as `confirmEverywhere` does.
 */
export async function awaitDisable(db: Database["db"], teamId: string): Promise<void> {
  const { lapsedIds } = await confirmEverywhere(db);
  const id = await findOpenDisable(db, teamId);
  if (id === null) return;
  await db.$executeRaw`
    UPDATE "LoggingDisable" SET "effectiveAt" = clock_timestamp(), "lapsedReplicas" = ${[...lapsedIds]}
    WHERE id = ${id} AND "effectiveAt" IS NULL`;
}

async function findOpenDisable(db: Database["db"], teamId: string): Promise<string | null> {
  const disable = await db.loggingDisable.findFirst({
    where: { teamId, enabledAt: null },
    orderBy: { requestedAt: "desc" },
    select: { id: true },
  });
  return disable?.id ?? null;
}

/** Tries to queue a record of the team, for a callback that nobody has, so that even a success would reach nobody. */
export async function sendCanary(teamId: string): Promise<"refused" | "queued"> {
  const delivery = deliveryState.get();
  const recordId = newRecordId();
  await delivery.append({
    recordId,
    callId: recordId,
    teamId,
    keyHash: null,
    createdAtMs: Date.now(),
    contents: [{ body: "{}", callbackIds: ["canary"] }],
  });
  const rows = await delivery.find({ by: "record", id: recordId });
  return rows.length === 0 ? "refused" : "queued";
}
