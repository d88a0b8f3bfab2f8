import { boundWaitMs } from "#lib/retry-after.ts";
import type { DeliveryNumbers } from "#logging/settlement.ts";

/** Keeps destinations that fail from being asked again at once. One circuit per callback. */
export type Circuits = {
  isOpen(callbackId: string, nowMs: number): boolean;
  /** True where the last try failed, so that the next one is a probe. */
  isSuspect(callbackId: string): boolean;
  /** A try failed: open until a back-off with jitter, or what the destination asked for (an hour at most), has passed. */
  fail(callbackId: string, nowMs: number, retryAfterMs?: number): void;
  succeed(callbackId: string): void;
  /**
   * Lets every callback, or the given ones, be tried at once. Those that failed stay suspect, and their waiting times go
   * on doubling.
   */
  clear(callbackIds?: readonly string[]): void;
};

/** Makes circuits whose waiting times double from the shortest to the longest. */
export function makeCircuits(numbers: DeliveryNumbers): Circuits {
  const open = new Map<string, { untilMs: number; failures: number }>();
  return {
    isOpen: (callbackId, nowMs) => (open.get(callbackId)?.untilMs ?? 0) > nowMs,
    isSuspect: (callbackId) => open.has(callbackId),
    fail(callbackId, nowMs, retryAfterMs) {
      const failures = (open.get(callbackId)?.failures ?? 0) + 1;
      const waitMs = Math.max(backOffMs(failures, numbers), boundWaitMs(retryAfterMs ?? 0));
      open.set(callbackId, { untilMs: nowMs + waitMs, failures });
    },
    succeed: (callbackId) => void open.delete(callbackId),
    clear: (callbackIds = [...open.keys()]) => {
      for (const callbackId of callbackIds) {
        const circuit = open.get(callbackId);
        if (circuit) circuit.untilMs = 0;
      }
    },
  };
}

/** The waiting time after so many failures in a row: doubling, bounded, with up to a quarter of jitter. */
export function backOffMs(failures: number, numbers: DeliveryNumbers): number {
  const plain = Math.min(numbers.retryMaxMs, numbers.retryMinMs * 2 ** Math.min(failures - 1, 20));
  return Math.round(plain * (1 - Math.random() / 4));
}
