import { configState, parseConfig } from "#lib/config.ts";
import { newRecordId } from "#lib/id.ts";
import { setLogger } from "#lib/logger.ts";
import type { Delivery } from "#logging/delivery.ts";
import { startDeliveryThread } from "#logging/delivery-thread.ts";
import type { QueueEntry } from "#logging/queue/queue.ts";
import { encodeRecord } from "#logging/queued-record.ts";
import { makeRecord } from "#testing/make-record.ts";

/** The gateway's own delivery thread with one webhook, and what is queued for it: what benchmarks of delivery share. */

export const masterKey = "encryption key of the benchmark";
export const callbackId = "00000000-0000-7000-8000-000000000001";
const bodyBytes = 4_096;
/** Each record of a batch has it once. */
const mark = Buffer.from('"litellm_call_id"');

setLogger("silent");
const { config } = parseConfig("{}", "bench.yaml", {});
configState.set(config);

/** Starts the thread on a queue; all it delivers goes to `sinkUrl`, in batches of `webhook`. */
export async function startWorker(
  queue: { queuePath: string; queueDatabaseUrl: string | null },
  sinkUrl: string,
): Promise<Delivery> {
  return startDeliveryThread(
    {
      ...{ ...queue, masterKeys: [masterKey], config, privateHosts: ["127.0.0.1"] },
      ...{ disabledTeamIds: [], purges: [], needsLease: false, logLevel: "silent" },
    },
    {
      resolve: async () => ({
        ...{ state: "ready", callbackName: "webhook", reach: "guarded" },
        vars: { webhook_url: sinkUrl },
      }),
      redaction: async () => ({ level: "off", classes: [] }),
      target: async () => null,
    },
    (error) => {
      throw error;
    },
  );
}

/** A record of 4 kB for the webhook. */
export function makeEntry(): QueueEntry {
  const recordId = newRecordId();
  const nowMs = Date.now();
  const plain = { ...makeRecord(), recordId, callId: recordId };
  const missing = bodyBytes - encodeRecord({ record: plain, liftedFrom: null }).length;
  const text = "The quick brown fox jumps over the lazy dog. ".repeat(100).slice(0, Math.max(0, missing));
  const record = { ...plain, requesterMetadata: { text } };
  const contents = [{ body: encodeRecord({ record, liftedFrom: null }), callbackIds: [callbackId] }];
  return { recordId, callId: recordId, teamId: "bench", keyHash: null, createdAtMs: nowMs, contents };
}

/** How many records a batch holds. */
export function countRecords(body: Buffer): number {
  let count = 0;
  for (let at = body.indexOf(mark); at >= 0; at = body.indexOf(mark, at + mark.length)) count += 1;
  return count;
}
