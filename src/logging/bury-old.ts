import type { DeliverySource } from "#logging/delivery-source.ts";
import type { Settlement } from "#logging/queue/queue.ts";

const batchRecords = 100;
const batchBytesMax = 4_000_000;
const leaseMs = 60_000;

/**
 * Makes dead letters of the records of a callback that cannot be used, once they reach the age at which any record
 * fails. Without it they would wait until somebody changes the callback. Younger records stay due.
 */
export async function buryOld(
  { queue, numbers }: DeliverySource,
  { callbackId, message }: { callbackId: string; message: string },
): Promise<void> {
  for (;;) {
    const nowMs = Date.now();
    const request = { callbackId, limit: batchRecords, bytesMax: batchBytesMax, leaseMs, nowMs };
    const claimed = await queue.claim(request);
    const settlements = claimed.map(({ deliveryId, ageFromMs }): Settlement => {
      const isOld = nowMs - ageFromMs >= numbers.ageMaxMs;
      return isOld ? { deliveryId, state: "dead", status: 0, message } : { deliveryId, state: "released" };
    });
    if (settlements.length > 0) await queue.settle(settlements, nowMs);
    if (claimed.length === 0 || settlements.some(({ state }) => state === "released")) return;
  }
}
