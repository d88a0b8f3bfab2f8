import { isDeepStrictEqual } from "node:util";
import { UpstreamError } from "#lib/errors.ts";
import { currentLogger } from "#lib/logger.ts";
import { monotonicMs } from "#lib/monotonic.ts";
import type { Circuits } from "#logging/circuit.ts";
import type { DeliveryContext, DeliveryResult, Destination } from "#logging/destinations/destination.ts";
import type { HealthLog } from "#logging/destination-health.ts";
import { findDestination } from "#logging/destinations/index.ts";
import { decodeRecord, type QueuedRecord, redactQueued } from "#logging/queued-record.ts";
import type { ClaimedDelivery, Queue } from "#logging/queue/queue.ts";
import type { LogRecord } from "#logging/record.ts";
import type { Redaction } from "#logging/redaction-level.ts";
import type { RequestCredentials } from "#logging/request-credentials.ts";
import type { ResolvedCallback } from "#logging/resolve-callback.ts";
import { settlementOf, type DeliveryNumbers } from "#logging/settlement.ts";

/** What the deliverer asks the rest of the process. */
export type DeliverySource = {
  queue: Queue;
  /** The newest version of a callback. */
  resolve(callbackId: string): Promise<ResolvedCallback>;
  /** The redaction that holds now for records of this key and team at this callback. */
  redactionNow(callbackId: string, whose: { keyHash: string | null; teamId: string | null }): Promise<Redaction>;
  isDisabled(teamId: string): boolean;
  /** True while what this process knows of teams and callbacks may be out of date: nothing is sent then. */
  isFenced?: () => boolean;
  numbers: DeliveryNumbers;
  /** How long one batch may take; well below the lease. Default 30 s. */
  sendTimeoutMs?: number;
  /** How often the queue is looked at where nobody wakes the deliverer. Default 1 s. */
  idlePollMs?: number;
  keepMetadata: readonly string[];
};

/** Longer than a batch may take with all that is asked before it is sent; what a dead process held waits so long. */
const leaseMs = 60_000;
const sendTimeoutMsDefault = 30_000;

/** What all flights share. */
type FlightParts = { source: DeliverySource; circuits: Circuits; health: HealthLog };

/** What a flight has from its start: `teamIds` are filled in when it knows whose records it carries. */
type Departure = { callbackId: string; teamIds: Set<string>; controller: AbortController };

/**
 * Sends one batch of a callback and settles every record that it claimed. Throws only where the queue or the question
 * for the callback failed; nothing is claimed then, or its lease ends by itself.
 */
export async function fly(
  { source, circuits, health }: FlightParts,
  { callbackId, teamIds, controller }: Departure,
): Promise<void> {
  const resolved = await source.resolve(callbackId);
  if (resolved.state === "gone") {
    await source.queue.purge({ callbackId });
    circuits.succeed(callbackId);
    return;
  }
  const destination = resolved.state === "ready" ? findDestination(resolved.callbackName) : null;
  if (resolved.state === "misconfigured" || !destination) {
    circuits.fail(callbackId, monotonicMs());
    health.fail(callbackId, 0);
    return;
  }
  const claimed = await source.queue.claim({
    callbackId,
    limit: destination.limits.batchRecordsMax,
    bytesMax: destination.limits.batchBytesMax,
    leaseMs,
    nowMs: Date.now(),
  });
  const sendable = await withoutDisabled(claimed, source);
  for (const { teamId } of sendable) if (teamId !== null) teamIds.add(teamId);
  const results = await deliverClaimed(sendable, source, async (records, credentials) => {
    if (source.isFenced?.() === true) controller.abort(new Error("The gateway has lost its lease."));
    const signal = AbortSignal.any([
      controller.signal,
      AbortSignal.timeout(source.sendTimeoutMs ?? sendTimeoutMsDefault),
    ]);
    const context = { callbackId, reach: resolved.reach, signal };
    const vars = { ...resolved.vars, ...credentials };
    return send({ destination, records, vars, context, isAborted: controller.signal });
  });
  const nowMs = Date.now();
  judge({ circuits, health }, callbackId, results);
  const settlements = sendable.map((delivery, index) =>
    settlementOf(delivery, results[index] ?? interrupted, { nowMs, numbers: source.numbers }),
  );
  if (settlements.length > 0) await source.queue.settle(settlements, nowMs);
  health.bury(callbackId, settlements.filter(({ state }) => state === "dead").length);
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
 * Opens what was claimed and sends it. One result per delivery, whatever happens: a record that cannot be read is dead
 * and stops nobody, and where the redaction of now is not known, the records wait. The records of one callback carry the
 * same credentials, or none; one that does not is left for a batch of its own.
 */
async function deliverClaimed(
  deliveries: readonly ClaimedDelivery[],
  source: DeliverySource,
  sendAll: (records: LogRecord[], credentials: RequestCredentials | null) => Promise<readonly SendResult[]>,
): Promise<readonly SendResult[]> {
  const all = await Promise.all(deliveries.map((delivery) => openRecord(delivery, source)));
  const credentials = all.find((result) => "record" in result)?.credentials ?? null;
  const opened = all.map((result) =>
    "record" in result && !isDeepStrictEqual(result.credentials, credentials) ? interrupted : result,
  );
  const records = opened.flatMap((result) => ("record" in result ? [result.record] : []));
  const sent = [...(records.length === 0 ? [] : await sendAll(records, credentials))];
  return opened.map((result) => ("record" in result ? (sent.shift() ?? interrupted) : result));
}

/** A record as it may be sent now, and the credentials that its request brought. */
type OpenedRecord = { record: LogRecord; credentials: RequestCredentials | null };

async function openRecord(delivery: ClaimedDelivery, source: DeliverySource): Promise<OpenedRecord | SendResult> {
  let queued: QueuedRecord;
  try {
    queued = decodeRecord(delivery.body);
  } catch {
    return { outcome: "dead", status: 0, message: "The queued record cannot be read." };
  }
  try {
    const redaction = await source.redactionNow(delivery.callbackId, delivery);
    const record = redactQueued(queued, redaction, source.keepMetadata);
    return { record, credentials: queued.credentials ?? null };
  } catch (error) {
    currentLogger().warn({ callbackId: delivery.callbackId, error: String(error) }, "the redaction is not known");
    return { ...interrupted, message: "The redaction that holds now could not be read." };
  }
}

/** What became of each record, with the fault where the whole batch met one. */
type SendResult = DeliveryResult & { fault?: UpstreamError["fault"] };

async function send(batch: {
  destination: Destination;
  records: LogRecord[];
  vars: unknown;
  context: DeliveryContext;
  isAborted: AbortSignal;
}): Promise<readonly SendResult[]> {
  try {
    batch.isAborted.throwIfAborted();
    return await batch.destination.deliver(batch.records, batch.vars, batch.context);
  } catch (error) {
    if (batch.isAborted.aborted) return batch.records.map(() => interrupted);
    const failure = toUpstreamFailure(error);
    const wait = failure.retryAfterMs === null ? {} : { retryAfterMs: failure.retryAfterMs };
    const outcome = failure.fault === "record" || failure.fault === "too_large" ? "dead" : "retry";
    return batch.records.map(() => ({
      outcome,
      status: failure.status,
      message: failure.message,
      fault: failure.fault,
      ...wait,
    }));
  }
}

const interrupted = {
  outcome: "retry",
  status: 0,
  message: "interrupted",
  fault: "destination",
  retryAfterMs: 0,
} as const satisfies SendResult;

/** Anything but an `UpstreamError` that a destination throws is a bug or a deadline: the records wait and stay. */
function toUpstreamFailure(error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  if (error instanceof Error && error.name === "TimeoutError") {
    return new UpstreamError(0, "The destination did not answer in time.", { cause: error });
  }
  currentLogger().error({ error: error instanceof Error ? error.stack : String(error) }, "a destination failed");
  return new UpstreamError(0, "The record could not be sent (internal error).", { cause: error });
}

/** Opens or closes the circuit of a callback. A batch of which something got through speaks for the destination. */
function judge(
  { circuits, health }: Pick<FlightParts, "circuits" | "health">,
  callbackId: string,
  results: readonly SendResult[],
): void {
  const meant = results.filter((result) => result !== interrupted);
  if (meant.length === 0) return;
  const waits = meant.flatMap((result) => (result.outcome === "retry" ? [result.retryAfterMs ?? 0] : []));
  if (waits.length === meant.length) {
    circuits.fail(callbackId, monotonicMs(), Math.max(...waits));
    health.fail(callbackId, meant.at(-1)?.status ?? 0);
    return;
  }
  circuits.succeed(callbackId);
  if (meant.some(({ outcome }) => outcome === "delivered")) health.succeed(callbackId);
}
