import { isDeepStrictEqual } from "node:util";
import { UpstreamError } from "#lib/errors.ts";
import { currentLogger } from "#lib/logger.ts";
import type { DeliverySource } from "#logging/delivery-source.ts";
import type { DeliveryContext, DeliveryResult, Destination } from "#logging/destinations/destination.ts";
import { decodeRecord, type QueuedRecord, redactQueued } from "#logging/queued-record.ts";
import type { ClaimedDelivery } from "#logging/queue/queue.ts";
import type { LogRecord } from "#logging/record.ts";
import type { RequestCredentials } from "#logging/request-credentials.ts";

/**
 * Opens what was claimed and sends it. One result per delivery, whatever happens: a record that cannot be read is dead
 * and stops nobody, and where the redaction of now is not known, the records wait. The records of one callback carry the
 * same credentials, or none; one that does not is left for a batch of its own.
 */
export async function deliverClaimed(
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
export type SendResult = DeliveryResult & { fault?: UpstreamError["fault"] };

export async function send(batch: {
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

export const interrupted = {
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
