import type { CallEnd } from "#gateway/call-record.ts";
import { currentLogger } from "#lib/logger.ts";
import type { LogRecord } from "#logging/record.ts";

/** What is known of an answer before its record is made. A failure after that still costs what the upstream did. */
export type SeenAnswer = Pick<CallEnd, "deployment" | "usage" | "completionStartTimeMs" | "attempts" | "billed">;

/**
 * What one call has taken and whom its record counts for, shared by all copies of the call. `complete()` closes the
 * ledger of a whole answer, and the end of the stream that of a streamed one, so no exit of a call can forget anything.
 *
 * - open: things are held and given back. Entered at the start of the call.
 * - recorded: the one record of the call is being committed. Entered by `record()`, which is true only once.
 * - settled: the record was counted. Entered by `settle()`; a call whose record was lost never gets there.
 * - closed: everything that was held is given back. Entered by `close()`, whatever came before.
 */
export type CallLedger = {
  /**
   * Notes how something that the call took is given back. It happens when the ledger closes, or earlier by the returned
   * function, and only once. After the close it happens immediately.
   */
  hold(giveBack: () => void): () => void;
  /** Calls `count` with the record once that is committed. */
  count(count: (record: LogRecord) => void): void;
  /** Claims the record of the call; false if it was claimed before. */
  record(): boolean;
  isRecorded(): boolean;
  /** Counts the committed record. */
  settle(record: LogRecord): void;
  isSettled(): boolean;
  /** Notes what the upstream answered. */
  see(answer: SeenAnswer): void;
  seen(): SeenAnswer | null;
  /** The stream of the answer closes the ledger from now on. */
  handOver(): void;
  isHandedOver(): boolean;
  /** Gives back everything that is still held. Safe to call twice. */
  close(): void;
};

/** Makes the ledger of one call. */
export function makeCallLedger(): CallLedger {
  const held = new Set<() => void>();
  const counts: ((record: LogRecord) => void)[] = [];
  const state = { isRecorded: false, isSettled: false, isHandedOver: false, isClosed: false };
  let seen: SeenAnswer | null = null;
  return {
    hold(giveBack) {
      const once = (): void => {
        if (held.delete(once)) attempt(giveBack);
      };
      held.add(once);
      if (state.isClosed) once();
      return once;
    },
    count: (count) => void counts.push(count),
    record() {
      const isFirst = !state.isRecorded;
      state.isRecorded = true;
      return isFirst;
    },
    isRecorded: () => state.isRecorded,
    settle(record) {
      if (state.isSettled) return;
      state.isSettled = true;
      for (const count of counts) {
        attempt(() => {
          count(record);
        });
      }
    },
    isSettled: () => state.isSettled,
    see: (answer) => void (seen = answer),
    seen: () => seen,
    handOver: () => void (state.isHandedOver = true),
    isHandedOver: () => state.isHandedOver,
    close() {
      state.isClosed = true;
      for (const giveBack of held) giveBack();
    },
  };
}

/** One step that throws keeps no other one from happening. */
function attempt(step: () => void): void {
  try {
    step();
  } catch (error) {
    currentLogger().error({ error: String(error) }, "a step at the end of a call failed");
  }
}
