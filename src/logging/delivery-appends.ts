import type { ToDeliveryThread } from "#logging/delivery-messages.ts";
import type { QueueEntry } from "#logging/queue/queue.ts";

/** One append that waits for its commit. */
type Waiting = { entry: QueueEntry; resolve(): void; reject(error: Error): void };

/** Collects appends into groups, one message and one commit each; an append resolves with its group's commit. */
export type Appends = {
  append(entry: QueueEntry): Promise<void>;
  /** Sends what is collected at once. */
  flush(): void;
  /** The thread's word on a group. */
  settle(answer: { batch: number; error?: string }): void;
  /** The thread ended: appends wait for the next one. */
  pause(): void;
  /** A new thread is there: it gets all that was not committed. What was all the same stays as it is. */
  resume(): void;
  /** Fails what waits, and all that comes before `resume`. */
  refuse(error: Error): void;
};

/**
 * Groups are at least this far apart while calls come in crowds, unless they are large: a message to the thread and a
 * commit cost much the same whatever their size. A call that comes alone does not wait.
 */
const groupIntervalMs = 10;
/** So many appends do not wait for more. */
const groupEntries = 32;
/** So many appends within some 16 ms are a crowd: from about 250 a second on. */
const crowdEntries = 4;
const crowdMs = 16;

/** Makes the appends of a thread; `post` sends it a message. */
export function makeAppends(post: (message: ToDeliveryThread) => void): Appends {
  const groups = new Map<number, Waiting[]>();
  let waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | undefined;
  let batch = 0;
  let sent = { recently: 0, atMs: 0 };
  let isPaused = false;
  let refusal: Error | null = null;

  function schedule(): void {
    const waitMs = sent.atMs + groupIntervalMs - performance.now();
    if (waitMs < 1 || sent.recently < crowdEntries) setImmediate(flush);
    else timer = setTimeout(flush, waitMs);
  }

  function flush(): void {
    clearTimeout(timer);
    if (waiting.length === 0 || isPaused) return;
    batch += 1;
    const atMs = performance.now();
    sent = { recently: sent.recently * Math.exp((sent.atMs - atMs) / crowdMs) + waiting.length, atMs };
    groups.set(batch, waiting);
    post({ type: "append", batch, entries: waiting.map(({ entry }) => entry) });
    waiting = [];
  }

  return {
    append: (entry) =>
      new Promise((resolve, reject) => {
        if (refusal) {
          reject(refusal);
          return;
        }
        if (waiting.length === 0) schedule();
        waiting.push({ entry, resolve, reject });
        if (waiting.length === groupEntries) flush();
      }),
    flush,
    settle({ batch: settled, error }) {
      const group = groups.get(settled) ?? [];
      groups.delete(settled);
      for (const append of group) {
        if (error === undefined) append.resolve();
        else append.reject(new Error(error));
      }
    },
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
      refusal = null;
      waiting = [...[...groups.values()].flat(), ...waiting];
      groups.clear();
      flush();
    },
    refuse(error) {
      refusal = error;
      for (const append of [...[...groups.values()].flat(), ...waiting]) append.reject(error);
      groups.clear();
      waiting = [];
    },
  };
}
