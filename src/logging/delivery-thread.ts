import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { currentLogger } from "#lib/logger.ts";
import type { Delivery } from "#logging/delivery.ts";
import type {
  DeliveryCalls,
  DeliveryQuestions,
  DeliveryThreadData,
  FromDeliveryThread,
} from "#logging/delivery-messages.ts";
import type { QueueEntry } from "#logging/queue/queue.ts";
import { makeThreadQuestions, type ThreadQuestions } from "#logging/thread-questions.ts";

/** How the process answers its delivery thread. */
export type DeliveryAnswers = {
  [Name in keyof DeliveryQuestions]: (
    request: DeliveryQuestions[Name]["request"],
  ) => Promise<DeliveryQuestions[Name]["answer"]>;
};

type Waiting = { resolve(): void; reject(error: Error): void };

/**
 * Starts the delivery thread and resolves when its queue is open. `onFailure` is called once if the thread ends without
 * being asked to: the process must not go on answering calls that it cannot log.
 */
export async function startDeliveryThread(
  data: DeliveryThreadData,
  answers: DeliveryAnswers,
  onFailure: (error: Error) => void,
): Promise<Delivery> {
  const worker = new Worker(new URL("../worker.ts", import.meta.url), { workerData: data, name: "delivery" });
  const appends = makeAppends(worker);
  const questions = makeThreadQuestions<DeliveryCalls>((id, name, request) => {
    worker.postMessage({ type: "ask", id, name, request });
  });
  const disabled = new Set(data.disabledTeamIds);
  let stopping = false;
  const ready = new Promise<void>((resolve, reject) => {
    worker.on("message", (message: FromDeliveryThread) => {
      if (message.type === "ready") resolve();
      else if (message.type === "appended") appends.settle(message);
      else if (message.type === "tell") questions.settle(message);
      else void tell(worker, answers, message);
    });
    const fail = (error: Error): void => {
      reject(error);
      appends.failAll(error);
      questions.failAll(error);
      if (!stopping) onFailure(error);
      stopping = true;
    };
    worker.once("error", (error) => {
      fail(error instanceof Error ? error : new Error(String(error)));
    });
    worker.once("exit", () => {
      fail(new Error("The delivery thread ended."));
    });
  });
  await ready;
  return {
    append: appends.append,
    async disableTeam(teamId) {
      disabled.add(teamId);
      appends.flush();
      return questions.ask("disableTeam", { teamId });
    },
    async enableTeam(teamId) {
      await questions.ask("enableTeam", { teamId });
      disabled.delete(teamId);
    },
    isDisabled: (teamId) => disabled.has(teamId),
    disabledTeamIds: () => [...disabled],
    async purgeTeam(request) {
      appends.flush();
      return questions.ask("purgeTeam", request);
    },
    suppressCallback: (callbackId) => questions.ask("suppressCallback", { callbackId }),
    forgetCallbacks: (changed) => {
      worker.postMessage({ type: "forget", ...(changed ? { changed } : {}) });
    },
    extendLease: (untilMs) => {
      worker.postMessage({ type: "lease", untilMs });
    },
    ...askQueue(questions),
    async stop(deadlineMs) {
      appends.flush();
      await questions.ask("stop", { deadlineMs });
      stopping = true;
      const exited = once(worker, "exit");
      await worker.terminate();
      await exited;
    },
  };
}

/** What the thread does with its queue alone. */
function askQueue(questions: ThreadQuestions<DeliveryCalls>): Pick<Delivery, "find" | "list" | "revise" | "counts"> {
  return {
    find: (request) => questions.ask("find", request),
    list: (request) => questions.ask("list", request),
    revise: (request) => questions.ask("revise", request),
    counts: () => questions.ask("counts", null),
  };
}

/**
 * Groups are at least this far apart while calls come in crowds: a message to the thread and a commit cost much the same
 * whatever their size. A call that comes alone does not wait.
 */
const groupIntervalMs = 4;
const crowdEntries = 4;

/** Collects appends into groups, one message and one commit each; an append resolves with its group's commit. */
function makeAppends(worker: Worker): {
  append(entry: QueueEntry): Promise<void>;
  flush(): void;
  settle(answer: { batch: number; error?: string }): void;
  failAll(error: Error): void;
} {
  const groups = new Map<number, Waiting[]>();
  let entries: QueueEntry[] = [];
  let waiting: Waiting[] = [];
  let batch = 0;
  let sent = { entries: 0, atMs: 0 };
  let failure: Error | null = null;

  function schedule(): void {
    const waitMs = sent.entries < crowdEntries ? 0 : sent.atMs + groupIntervalMs - performance.now();
    if (waitMs < 1) setImmediate(flush);
    else setTimeout(flush, waitMs);
  }

  function flush(): void {
    if (entries.length === 0) return;
    batch += 1;
    sent = { entries: entries.length, atMs: performance.now() };
    groups.set(batch, waiting);
    worker.postMessage({ type: "append", batch, entries });
    entries = [];
    waiting = [];
  }

  return {
    append: (entry) =>
      new Promise((resolve, reject) => {
        if (failure) {
          reject(failure);
          return;
        }
        if (entries.length === 0) schedule();
        entries.push(entry);
        waiting.push({ resolve, reject });
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
    failAll(error) {
      failure = error;
      for (const append of [...waiting, ...[...groups.values()].flat()]) append.reject(error);
      groups.clear();
    },
  };
}

async function tell(
  worker: Worker,
  answers: DeliveryAnswers,
  message: Extract<FromDeliveryThread, { type: "ask" }>,
): Promise<void> {
  try {
    const value =
      message.name === "resolve" ? await answers.resolve(message.request) : await answers.redaction(message.request);
    worker.postMessage({ type: "tell", id: message.id, value });
  } catch (error) {
    currentLogger().warn({ question: message.name, error: String(error) }, "the delivery thread got no answer");
    worker.postMessage({ type: "tell", id: message.id, error: error instanceof Error ? error.message : String(error) });
  }
}
