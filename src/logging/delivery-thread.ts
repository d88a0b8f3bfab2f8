import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { currentLogger } from "#lib/logger.ts";
import type { Delivery } from "#logging/delivery.ts";
import type {
  DeliveryCalls,
  DeliveryQuestions,
  DeliveryThreadData,
  FromDeliveryThread,
  ToDeliveryThread,
} from "#logging/delivery-messages.ts";
import { type Appends, makeAppends } from "#logging/delivery-appends.ts";
import { type LastingThread, startLastingThread } from "#logging/lasting-thread.ts";
import { makeThreadQuestions, type ThreadQuestions } from "#logging/thread-questions.ts";

/** How the process answers its delivery thread. */
export type DeliveryAnswers = {
  [Name in keyof DeliveryQuestions]: (
    request: DeliveryQuestions[Name]["request"],
  ) => Promise<DeliveryQuestions[Name]["answer"]>;
};

/**
 * What the thread takes in hand it is done with at once, or keeps until its batch has arrived. With more room for the
 * young, buffers of many megabytes wait outside of the heap until somebody looks at the few objects that hold them.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 48 };

/** Where the thread is away for longer, calls are refused. A new one is there much sooner than that. */
const patienceMs = 5_000;

/**
 * Starts the delivery thread and resolves when its queue is open. A thread that ends without being asked to is started
 * again, and loses nothing: what it had not committed is given to the next one. `onFailure` is called once if none can be
 * started any more: the process must not go on answering calls that it cannot log.
 */
export async function startDeliveryThread(
  data: DeliveryThreadData,
  answers: DeliveryAnswers,
  onFailure: (error: Error) => void,
): Promise<Delivery> {
  const disabled = new Set(data.disabledTeamIds);
  const appends = makeAppends((message) => thread.post(message));
  const questions = makeThreadQuestions<DeliveryCalls>((id, name, request) => {
    if (!thread.post({ type: "ask", id, name, request })) questions.settle({ id, error: away.message });
  });
  let leaseUntilMs: number | null = null;
  let patience: NodeJS.Timeout | undefined;
  let starts = 0;

  const thread = await startLastingThread<FromDeliveryThread, ToDeliveryThread>({
    start(holdMs) {
      starts += 1;
      // Of those that were disabled before the process was there nothing is left after the first start.
      const now = starts === 1 ? data : { ...data, disabledTeamIds: [...disabled], purges: [] };
      const workerData: DeliveryThreadData = { ...now, holdMs };
      return new Worker(new URL("../worker.ts", import.meta.url), { workerData, name: "delivery", resourceLimits });
    },
    onMessage(message, reply) {
      if (message.type === "appended") appends.settle(message);
      else if (message.type === "tell") questions.settle(message);
      else if (message.type === "ask") void tell(reply, answers, message);
    },
    onReady() {
      clearTimeout(patience);
      if (leaseUntilMs !== null) thread.post({ type: "lease", untilMs: leaseUntilMs });
      appends.resume();
    },
    onEnd(error) {
      questions.failAll(error);
      appends.pause();
      patience = setTimeout(() => {
        appends.refuse(away);
      }, patienceMs);
    },
    onFailure,
  });
  return toDelivery({
    thread,
    appends,
    questions,
    disabled,
    noteLease: (untilMs) => (leaseUntilMs = untilMs),
  });
}

/** How long the thread may take to close its queue. */
const endMsMax = 1_000;

const away = new Error("The delivery thread is being started again.");
const stopped = new Error("The delivery thread has stopped.");

type Parts = {
  thread: LastingThread;
  appends: Appends;
  questions: ThreadQuestions<DeliveryCalls>;
  disabled: Set<string>;
  noteLease(untilMs: number): void;
};

function toDelivery({ thread, appends, questions, disabled, noteLease }: Parts): Delivery {
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
      thread.post({ type: "forget", ...(changed ? { changed } : {}) });
    },
    extendLease: (untilMs) => {
      noteLease(untilMs);
      thread.post({ type: "lease", untilMs });
    },
    ...askQueue(questions),
    hurry: () => {
      thread.post({ type: "hurry" });
    },
    async stop(deadlineMs, hurry) {
      appends.flush();
      const endDrain = (): void => void thread.post({ type: "end-drain" });
      if (hurry?.aborted === true) endDrain();
      else hurry?.addEventListener("abort", endDrain);
      const late = sleep(Math.max(0, deadlineMs - Date.now()) + endMsMax, "late", { ref: false });
      const ended = questions.ask("stop", { deadlineMs }).catch((error: unknown) => String(error));
      const fault = await Promise.race([ended, late]);
      if (fault !== null)
        currentLogger().warn({ fault }, "the delivery thread did not end in order; nothing queued is lost");
      await thread.stop();
      // Also what came while it ended: whoever waits for an answer holds up the end of the process.
      appends.refuse(stopped);
      questions.failAll(stopped);
    },
  };
}

/** What the thread does with its queue alone. */
function askQueue(
  questions: ThreadQuestions<DeliveryCalls>,
): Pick<Delivery, "find" | "list" | "revise" | "backfill" | "counts" | "sizes" | "unopened" | "health"> {
  return {
    find: (request) => questions.ask("find", request),
    list: (request) => questions.ask("list", request),
    revise: (request) => questions.ask("revise", request),
    backfill: (request) => questions.ask("backfill", request),
    counts: (callbackIds) => questions.ask("counts", callbackIds ?? null),
    sizes: () => questions.ask("sizes", null),
    unopened: () => questions.ask("unopened", null),
    health: () => questions.ask("health", null),
  };
}

function answer(answers: DeliveryAnswers, message: Extract<FromDeliveryThread, { type: "ask" }>): Promise<unknown> {
  switch (message.name) {
    case "resolve":
      return answers.resolve(message.request);
    case "redaction":
      return answers.redaction(message.request);
    case "target":
      return answers.target(message.request);
  }
}

async function tell(
  reply: (message: ToDeliveryThread) => void,
  answers: DeliveryAnswers,
  message: Extract<FromDeliveryThread, { type: "ask" }>,
): Promise<void> {
  try {
    reply({ type: "tell", id: message.id, value: await answer(answers, message) });
  } catch (error) {
    currentLogger().warn({ question: message.name, error: String(error) }, "the delivery thread got no answer");
    reply({ type: "tell", id: message.id, error: error instanceof Error ? error.message : String(error) });
  }
}
