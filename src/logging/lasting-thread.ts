import type { Worker } from "node:worker_threads";
import { setTimeout as sleep } from "node:timers/promises";
import { currentLogger } from "#lib/logger.ts";
import { monotonicMs } from "#lib/monotonic.ts";

/** A worker thread that is started again where it ends without being asked to. */
export type LastingThread = {
  /** Sends a message to the thread that runs; false where none does, until `onReady`. */
  post(message: unknown): boolean;
  /** Ends the thread for good. */
  stop(): Promise<void>;
};

/** What the owner of a thread knows and does. */
export type ThreadOwner<Incoming, Outgoing> = {
  /** Starts a thread that sends nothing out for so long, in milliseconds. */
  start(holdMs: number): Worker;
  /**
   * Every message but the one that says that the thread is ready. `reply` reaches the thread that sent it and no later
   * one, whose questions have the same numbers.
   */
  onMessage(message: Incoming, reply: (message: Outgoing) => void): void;
  /** A thread runs again and knows nothing of what was sent to the one before it. */
  onReady(): void;
  /** The thread ended; what it was asked gets no answer. */
  onEnd(error: Error): void;
  /** It could not be brought back. */
  onFailure(error: Error): void;
};

/** A thread that lives so long after it may send is no part of a series of ends any more. */
const calmMs = 60_000;
/** A thread that ends once or twice goes on at once; what makes it end again and again is given time. */
const endsBeforeHold = 2;
const holdMsMin = 5_000;
const holdMsMax = 300_000;
/** Starts in a row that did not get as far as an open queue. */
const failedStartsMax = 5;
const restartPauseMs = 250;

/** How long the thread after so many ends in a row sends nothing: it only takes records until then. */
export function holdAfter(ends: number): number {
  return ends <= endsBeforeHold ? 0 : Math.min(holdMsMax, holdMsMin * 2 ** (ends - endsBeforeHold - 1));
}

/** Starts the thread and resolves when it is ready; throws where the first one does not get that far. */
export async function startLastingThread<Incoming extends { type: string }, Outgoing>(
  owner: ThreadOwner<Incoming, Outgoing>,
): Promise<LastingThread> {
  let worker: Worker | null = null;
  let stopping = false;
  let ends = 0;
  let failedStarts = 0;

  /** Resolves when it is ready, rejects where it ends before. */
  function run(holdMs: number): Promise<void> {
    const started = owner.start(holdMs);
    const startedMs = monotonicMs();
    return new Promise((resolve, reject) => {
      let failure = new Error("The delivery thread ended.");
      started.on("message", (message: Incoming) => {
        if (message.type !== "ready") {
          owner.onMessage(message, (reply) => {
            started.postMessage(reply);
          });
          return;
        }
        worker = started;
        failedStarts = 0;
        resolve();
      });
      started.once("error", (error) => (failure = error instanceof Error ? error : new Error(String(error))));
      // The file is free again only after the thread is gone.
      started.once("exit", () => {
        reject(failure);
        if (worker !== started) return;
        worker = null;
        if (stopping) return;
        ends = monotonicMs() - startedMs > holdMs + calmMs ? 1 : ends + 1;
        owner.onEnd(failure);
        currentLogger().error(
          { error: failure.message, holdMs: holdAfter(ends) },
          "the delivery thread ended and is started again",
        );
        void restart();
      });
    });
  }

  async function restart(): Promise<void> {
    for (;;) {
      try {
        await run(holdAfter(ends));
        owner.onReady();
        return;
      } catch (error) {
        failedStarts += 1;
        const failure = error instanceof Error ? error : new Error(String(error));
        if (stopping) return;
        if (failedStarts >= failedStartsMax) {
          owner.onFailure(failure);
          return;
        }
        await sleep(restartPauseMs * 2 ** failedStarts);
      }
    }
  }

  await run(0);
  return {
    post(message) {
      worker?.postMessage(message);
      return worker !== null;
    },
    async stop() {
      stopping = true;
      await worker?.terminate();
    },
  };
}
