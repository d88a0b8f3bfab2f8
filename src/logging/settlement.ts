import { backOffMs } from "#logging/circuit.ts";
import type { DeliveryResult } from "#logging/destinations/destination.ts";
import type { UpstreamFault } from "#lib/errors.ts";
import { boundWaitMs } from "#lib/retry-after.ts";
import { toStorableText } from "#lib/storable.ts";
import type { ClaimedDelivery, Settlement } from "#logging/queue/queue.ts";

/** How often, how long and with what pauses a record is tried (`general_settings.delivery`). */
export type DeliveryNumbers = { triesMax: number; ageMaxMs: number; retryMinMs: number; retryMaxMs: number };

const messageLengthMax = 2_000;

/**
 * Turns what a destination said of one record into what the queue keeps. A fault of the destination uses no try of the
 * record; a record is dead after its own tries or its age.
 */
export function settlementOf(
  delivery: ClaimedDelivery,
  result: DeliveryResult & { fault?: UpstreamFault },
  { nowMs, numbers }: { nowMs: number; numbers: DeliveryNumbers },
): Settlement {
  const { deliveryId } = delivery;
  const message = toMessage(result.message);
  const answer = { deliveryId, status: toStatus(result.status), message };
  if (result.outcome !== "retry") return { ...answer, state: result.outcome };
  const counted = result.fault !== "destination" && answer.status !== 0;
  const tries = delivery.tries + (counted ? 1 : 0);
  if (tries >= numbers.triesMax || nowMs - delivery.ageFromMs >= numbers.ageMaxMs) return { ...answer, state: "dead" };
  const waitMs = Math.max(boundWaitMs(result.retryAfterMs ?? 0), counted ? backOffMs(tries, numbers) : 0);
  return { ...answer, state: "pending", dueAtMs: nowMs + waitMs, counted };
}

/** A destination's own words as the queue keeps them. */
export function toMessage(text: string | undefined): string {
  return toStorableText((text ?? "").slice(0, messageLengthMax));
}

/** Some destinations answer with a status per record in the body, which may be any number: 0 stands for those. */
export function toStatus(status: number): number {
  return Number.isInteger(status) && status >= 0 && status <= 999 ? status : 0;
}
