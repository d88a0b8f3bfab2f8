import { setImmediate } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { monotonicMs } from "#lib/monotonic.ts";
import type { AheadSlots } from "#logging/ahead-slots.ts";
import { buryOld } from "#logging/bury-old.ts";
import type { Circuits } from "#logging/circuit.ts";
import type { DeliverySource } from "#logging/delivery-source.ts";
import type { HealthLog } from "#logging/destination-health.ts";
import type { Destination } from "#logging/destinations/destination.ts";
import { findDestination } from "#logging/destinations/index.ts";
import type { ClaimedDelivery, Settlement } from "#logging/queue/queue.ts";
import type { ResolvedCallback } from "#logging/resolve-callback.ts";
import { deliverClaimed, interrupted, send, type SendResult } from "#logging/send-batch.ts";
import { settlementOf, toMessage, toStatus } from "#logging/settlement.ts";

/** Longer than a batch may take with all that is asked before it is sent; what a dead process held waits so long. */
const leaseMs = 60_000;
const sendTimeoutMsDefault = 30_000;
/** Older than this, a batch that was claimed ahead is not sent: too little of its lease is left. */
const aheadAgeMaxMs = 10_000;
/** So many batches of a callback are sent before its turn is over. */
const batchesMax = 32;

/** What all flights share. */
type FlightParts = { source: DeliverySource; circuits: Circuits; health: HealthLog; ahead: AheadSlots };

/**
 * What a flight has from its start. `teamIds` are filled in when it knows whose records it carries; while `isClaiming`,
 * they may be anybody's.
 */
export type Departure = {
  callbackId: string;
  teamIds: Set<string>;
  isClaiming: boolean;
  controller: AbortController;
};

/** Where a batch goes. */
type Target = { resolved: ResolvedCallback & { state: "ready" }; destination: Destination };

/** Records that are sent together. `isFull`: there are more, probably. */
type Batch = { deliveries: ClaimedDelivery[]; isFull: boolean; target: Target; claimedAtMs: number };

/**
 * Sends what is due of a callback, one batch after the other while they are full and get through, and settles every
 * record that it claimed. While a batch is on its way, the one before is settled and, where there is room, the next one
 * claimed. Throws only where the queue or the question for the callback failed; leases that it has then end by
 * themselves.
 */
export async function fly(parts: FlightParts, departure: Departure): Promise<void> {
  const settlements = makeSettlements();
  let ahead: Promise<Batch> | null = null;
  let failure: SendResult | null = null;
  try {
    for (let sent = 0; sent < batchesMax; sent += 1) {
      const target = await findTarget(parts, departure.callbackId);
      if (target === null) break;
      const batch: Batch = await (ahead ?? claimBatch(parts.source, departure, target));
      if (ahead !== null) {
        if (!maySend(batch, target)) break;
        ahead = null;
        parts.ahead.give();
      }
      // Nothing is claimed ahead for a destination that has not taken a batch just before.
      if (sent > 0 && sent < batchesMax - 1 && batch.isFull && parts.ahead.take()) {
        ahead = claimBatch(parts.source, departure, target);
        ignoreFailure(ahead);
        // Opening and encoding records has the thread for itself: what the database is asked goes out before.
        await setImmediate();
      }
      const results = await sendBatch(batch, parts.source, departure);
      const isThrough = judge(parts, departure.callbackId, results);
      // Only these are held while the next batch is sent, not the records.
      const settled = settlementsOf(batch.deliveries, results, parts.source);
      await settlements.add(settle(parts, departure.callbackId, settled));
      if (!isThrough) failure = results.findLast((result) => result !== interrupted) ?? null;
      const isTurnOver = !batch.isFull || (sent > 0 && ahead === null);
      if (isTurnOver || !isThrough || departure.controller.signal.aborted) break;
    }
  } finally {
    if (ahead !== null) parts.ahead.give();
    await allEnded([giveBack(ahead, failure, parts.source), settlements.end()]);
  }
}

/** Where records of a callback go now; null where they cannot be sent. */
async function findTarget({ source, circuits, health }: FlightParts, callbackId: string): Promise<Target | null> {
  const resolved = await source.resolve(callbackId);
  if (resolved.state === "gone") {
    await source.queue.purge({ callbackId });
    circuits.succeed(callbackId);
    return null;
  }
  const destination = resolved.state === "ready" ? findDestination(resolved.callbackName) : null;
  if (resolved.state === "misconfigured" || !destination) {
    const message = resolved.state === "misconfigured" ? resolved.message : "There is no such destination.";
    circuits.fail(callbackId, monotonicMs(), { status: 0, message });
    health.fail(callbackId, 0);
    await buryOld(source, { callbackId, message });
    return null;
  }
  return { resolved, destination };
}

/** Waits for the end of all, then throws where one failed. */
async function allEnded(all: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(all);
  await Promise.all(all);
}

async function claimBatch(source: DeliverySource, departure: Departure, target: Target): Promise<Batch> {
  departure.isClaiming = true;
  try {
    return await claimFor(source, departure, target);
  } finally {
    departure.isClaiming = false;
  }
}

async function claimFor(source: DeliverySource, { callbackId, teamIds }: Departure, target: Target): Promise<Batch> {
  const { batchRecordsMax: limit, batchBytesMax: bytesMax } = target.destination.limits;
  const claimedAtMs = monotonicMs();
  const claimed = await source.queue.claim({ callbackId, limit, bytesMax, leaseMs, nowMs: Date.now() });
  const deliveries = await withoutDisabled(claimed, source);
  for (const { teamId } of deliveries) if (teamId !== null) teamIds.add(teamId);
  const bytes = claimed.reduce((sum, { body }) => sum + body.length, 0);
  return { deliveries, isFull: claimed.length >= limit || bytes >= bytesMax / 2, target, claimedAtMs };
}

/** Whether a batch that was claimed ahead may be sent: in time, and to where its records were still meant to go. */
function maySend({ target, claimedAtMs }: Batch, now: Target): boolean {
  return isDeepStrictEqual(target.resolved, now.resolved) && monotonicMs() - claimedAtMs <= aheadAgeMaxMs;
}

async function sendBatch(
  { deliveries, target: { resolved, destination } }: Batch,
  source: DeliverySource,
  { callbackId, controller }: Departure,
): Promise<readonly SendResult[]> {
  return deliverClaimed(deliveries, source, async (records, credentials) => {
    if (source.isFenced?.() === true) controller.abort(new Error("The gateway has lost its lease."));
    const signal = AbortSignal.any([
      controller.signal,
      AbortSignal.timeout(source.sendTimeoutMs ?? sendTimeoutMsDefault),
    ]);
    const context = { callbackId, reach: resolved.reach, signal };
    const vars = { ...resolved.vars, ...credentials };
    return send({ destination, records, vars, context, isAborted: controller.signal });
  });
}

function settlementsOf(
  deliveries: readonly ClaimedDelivery[],
  results: readonly SendResult[],
  { numbers }: DeliverySource,
): Settlement[] {
  const nowMs = Date.now();
  return deliveries.map((delivery, index) => settlementOf(delivery, results[index] ?? interrupted, { nowMs, numbers }));
}

async function settle(
  { source, health }: FlightParts,
  callbackId: string,
  settlements: readonly Settlement[],
): Promise<void> {
  if (settlements.length > 0) await source.queue.settle(settlements, Date.now());
  health.bury(callbackId, settlements.filter(({ state }) => state === "dead").length);
}

/**
 * What was claimed ahead and is not sent is due again at once. It shows what kept the batch before it, and where nothing
 * failed, what it showed before.
 */
async function giveBack(
  ahead: Promise<Batch> | null,
  failure: SendResult | null,
  { queue }: DeliverySource,
): Promise<void> {
  const batch = await ahead?.catch(() => null);
  if (!batch || batch.deliveries.length === 0) return;
  const nowMs = Date.now();
  await queue.settle(
    batch.deliveries.map(({ deliveryId }) => {
      if (failure === null) return { deliveryId, state: "released" };
      const { status, message = "" } = failure;
      return { deliveryId, state: "pending", dueAtMs: nowMs, counted: false, status, message };
    }),
    nowMs,
  );
}

/** Settlements of batches, of which one may be under way while the next batch is sent. */
function makeSettlements() {
  let last: Promise<void> = Promise.resolve();
  return {
    /** Adds one and waits for the one before it. Throws where that one failed. */
    async add(settled: Promise<void>): Promise<void> {
      const earlier = last;
      last = settled;
      ignoreFailure(settled);
      await earlier;
    },
    end: () => last,
  };
}

/** A promise that is awaited later may fail before that. */
function ignoreFailure(promise: Promise<unknown>): void {
  promise.catch(() => undefined);
}

/** Leaves out the records of disabled teams; they go, also where an earlier process ended before it removed them. */
async function withoutDisabled(claimed: ClaimedDelivery[], source: DeliverySource): Promise<ClaimedDelivery[]> {
  const isOff = ({ teamId }: ClaimedDelivery): boolean => teamId !== null && source.isDisabled(teamId);
  for (const teamId of new Set(claimed.filter(isOff).map((delivery) => delivery.teamId))) {
    if (teamId !== null) await source.queue.purge({ teamId });
  }
  return claimed.filter((delivery) => !isOff(delivery));
}

/**
 * Opens or closes the circuit of a callback. A batch of which something got through speaks for the destination; returns
 * whether this one does.
 */
function judge(
  { circuits, health }: Pick<FlightParts, "circuits" | "health">,
  callbackId: string,
  results: readonly SendResult[],
): boolean {
  const meant = results.filter((result) => result !== interrupted);
  if (meant.length === 0) return false;
  const waits = meant.flatMap((result) => (result.outcome === "retry" ? [result.retryAfterMs ?? 0] : []));
  if (waits.length === meant.length) {
    const last = meant.at(-1);
    const [status, message] = [toStatus(last?.status ?? 0), toMessage(last?.message)];
    circuits.fail(callbackId, monotonicMs(), { status, message, retryAfterMs: Math.max(...waits) });
    health.fail(callbackId, last?.status ?? 0);
    return false;
  }
  circuits.succeed(callbackId);
  if (meant.some(({ outcome }) => outcome === "delivered")) health.succeed(callbackId);
  return true;
}
