import { boundWaitMs } from "#lib/retry-after.ts";
import type { FailingCallback } from "#logging/queue/queue.ts";
import type { DeliveryNumbers } from "#logging/settlement.ts";

/** Why a destination counts as failing, and how long it asked to be left alone. */
export type CircuitFault = { status: number; message: string; retryAfterMs?: number };

/** Keeps destinations that fail from being asked again at once. One circuit per callback. */
export type Circuits = {
  isOpen(callbackId: string, nowMs: number): boolean;
  /** True where the last try failed, so that the next one is a probe. */
  isSuspect(callbackId: string): boolean;
  /**
   * A try failed: open until a back-off with jitter, or what the destination asked for (an hour at most), has passed.
   * Without a fault, the destination was not asked.
   */
  fail(callbackId: string, nowMs: number, fault?: CircuitFault): void;
  /** The callbacks whose destination failed in the last try, unless `clear` was called since, with its answer. */
  failing(): FailingCallback[];
  succeed(callbackId: string): void;
  /**
   * Lets every callback, or the given ones, be tried at once. Those that failed stay suspect, and their waiting times go
   * on doubling.
   */
  clear(callbackIds?: readonly string[]): void;
};

/** Makes circuits whose waiting times double from the shortest to the longest. */
export function makeCircuits(numbers: DeliveryNumbers): Circuits {
  const open = new Map<string, { untilMs: number; failures: number; fault: CircuitFault | null }>();
  return {
    isOpen: (callbackId, nowMs) => (open.get(callbackId)?.untilMs ?? 0) > nowMs,
    isSuspect: (callbackId) => open.has(callbackId),
    fail(callbackId, nowMs, fault) {
      const failures = (open.get(callbackId)?.failures ?? 0) + 1;
      const waitMs = Math.max(backOffMs(failures, numbers), boundWaitMs(fault?.retryAfterMs ?? 0));
      open.set(callbackId, { untilMs: nowMs + waitMs, failures, fault: fault ?? null });
    },
    failing: () =>
      [...open].flatMap(([callbackId, { fault }]) =>
        fault === null ? [] : [{ callbackId, status: fault.status, message: fault.message }],
      ),
    succeed: (callbackId) => void open.delete(callbackId),
    clear: (callbackIds = [...open.keys()]) => {
      for (const callbackId of callbackIds) {
        const circuit = open.get(callbackId);
        if (circuit) Object.assign(circuit, { untilMs: 0, fault: null });
      }
    },
  };
}

/** The waiting time after so many failures in a row: doubling, bounded, with up to a quarter of jitter. */
export function backOffMs(failures: number, numbers: DeliveryNumbers): number {
  const plain = Math.min(numbers.retryMaxMs, numbers.retryMinMs * 2 ** Math.min(failures - 1, 20));
  return Math.round(plain * (1 - Math.random() / 4));
}
