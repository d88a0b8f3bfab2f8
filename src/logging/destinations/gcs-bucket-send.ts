import { UpstreamError } from "#lib/errors.ts";
import type { DeliveryResult } from "#logging/destinations/destination.ts";
import { toGcsObjects } from "#logging/destinations/gcs-bucket-object.ts";
import type { GcsSession } from "#logging/destinations/gcs-bucket-request.ts";
import { findAccessToken } from "#logging/destinations/gcs-bucket-token.ts";
import { uploadGcsObject } from "#logging/destinations/gcs-bucket-upload.ts";
import type { LogRecord } from "#logging/record.ts";

/** Objects of one batch that are uploaded at the same time. */
const uploadsMax = 16;
/** After so many uploads that failed in passing, the rest of the batch waits for better times. */
const passingFailuresMax = 4;

/** What became of one object: an answer, or why there was none. */
type Outcome = DeliveryResult | { outcome: "failed"; error: unknown };

/**
 * Stores the records and says of each what became of it. Where nothing at all was settled it throws the first error;
 * else what could not be stored waits, and what was stored stays settled, also when the signal ends the batch.
 */
export async function sendToGcs(records: readonly LogRecord[], session: GcsSession): Promise<DeliveryResult[]> {
  if (records.length === 0) return [];
  session.context.signal.throwIfAborted();
  // Known before the uploads start, or each of them would ask for one.
  await findAccessToken(session.credentials, session.context);
  const objects = toGcsObjects(records, session.target, session.context.callbackId);
  const outcomes = await uploadAll(objects.length, async (index) => {
    const object = objects[index];
    if (!object) throw new Error("There is no such object.");
    return uploadGcsObject(object, session);
  });
  const failures = outcomes.filter((outcome) => outcome?.outcome === "failed");
  const reason: unknown = failures[0]?.error;
  if (failures.length > 0 && outcomes.every((outcome) => outcome === undefined || outcome.outcome === "failed")) {
    throw reason;
  }
  const byRecord = new Map<LogRecord, DeliveryResult>();
  for (const [index, object] of objects.entries()) {
    const outcome = outcomes[index] ?? { outcome: "failed", error: reason };
    const result = outcome.outcome === "failed" ? toRetry(outcome.error) : outcome;
    for (const record of object.records) byRecord.set(record, result);
  }
  return records.map((record) => byRecord.get(record) ?? toRetry(reason));
}

/** Runs the uploads, a few at a time; what was not started when it gave up is undefined. */
async function uploadAll(count: number, upload: (index: number) => Promise<DeliveryResult>) {
  const outcomes: (Outcome | undefined)[] = Array.from({ length: count });
  let next = 0;
  let passingFailures = 0;
  let hasStopped = false;
  async function work(): Promise<void> {
    while (next < count && !hasStopped) {
      const index = next;
      next += 1;
      try {
        outcomes[index] = await upload(index);
      } catch (error) {
        outcomes[index] = { outcome: "failed", error };
        passingFailures += 1;
        hasStopped ||= !isOfOneObject(error) || passingFailures >= passingFailuresMax;
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(count, uploadsMax) }, work));
  return outcomes;
}

/** Where the destination refuses, asks for patience or the batch was ended, further uploads are of no use. */
function isOfOneObject(error: unknown): boolean {
  return error instanceof UpstreamError && error.retryable && error.status !== 429 && error.retryAfterMs === null;
}

function toRetry(error: unknown): DeliveryResult {
  if (!(error instanceof UpstreamError)) return { outcome: "retry", status: 0, message: "Not sent in time" };
  const { status, message, retryAfterMs } = error;
  return { outcome: "retry", status, message, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
}
