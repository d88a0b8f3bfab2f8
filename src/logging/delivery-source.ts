import type { Queue } from "#logging/queue/queue.ts";
import type { Redaction } from "#logging/redaction-level.ts";
import type { ResolvedCallback } from "#logging/resolve-callback.ts";
import type { DeliveryNumbers } from "#logging/settlement.ts";

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
  /** How often records that wait for too long, or are too old, are looked for. Default one minute. */
  sweepMs?: number;
  keepMetadata: readonly string[];
};
