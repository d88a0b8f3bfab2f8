import { setTimeout as sleep } from "node:timers/promises";
import type { Listening } from "#http/listen.ts";
import { stoppingState } from "#http/readiness.ts";
import { currentLogger } from "#lib/logger.ts";
import { monotonicMs } from "#lib/monotonic.ts";
import { callsSettled, countCalls, cutCalls } from "#logging/calls-in-flight.ts";
import type { Delivery } from "#logging/delivery.ts";

/** What a stop ends. Nothing of it is waited for longer than the stop may take. */
export type StopParts = {
  /** All of the stop. */
  shutdownMs: number;
  /** The part of it in which new calls are still answered. */
  drainMs: number;
  listening: Pick<Listening, "drain" | "close">;
  delivery: Pick<Delivery, "hurry" | "stop">;
  /** Stores what is counted in memory, and hands spend over. */
  storeCounts(): Promise<unknown>;
  /** Closes databases, caches and connections. */
  closeRest(): Promise<unknown>;
  /** The last step before the exit. */
  release(): void;
};

/** What makes a gateway stop. */
export type Stopper = {
  /** A signal of the operator. The second one hurries the stop. */
  signal(name: NodeJS.Signals): void;
  /** The process cannot go on: a stop without any waiting for calls, and an exit code that says so. */
  fail(reason: string, error: unknown): void;
};

/** How a stop is going on. */
type Stop = { startMs: number; lostBefore: number; hurry: AbortController };

/** A terminal and npm both pass a signal on: two that come this close are one. */
const oneSignalMs = 500;
/** Time that is kept for the commits and everything after them, at most and at least. */
const reserveMsMax = 5_000;
const reserveMsMin = 1_000;
/** Commits get this much time in any case, even if the whole stop is set shorter. */
const commitMsMin = 2_000;
/** How long answers that are committed may take to reach their clients. */
const flushMsMax = 500;
const closeMsMin = 500;

/**
 * Makes the stop of this process. Its states, in order:
 * - draining: readiness is 503, and new calls are answered. Only SIGTERM enters it; it ends after `drainMs`.
 * - ending: no connection is accepted, and calls in flight may end. It ends with the last call, or when only the
 *   reserve is left.
 * - cutting: calls that are left fail or end with an error frame, and all are committed. It has a time of its own.
 * - delivering: counts are stored, and what is queued is sent while there is time.
 * - closing: everything is closed. The exit code is 0 if every call was committed.
 * A second signal and a failure go to cutting at once, and send nothing: what is committed is sent after the next start.
 */
export function makeStopper(parts: StopParts): Stopper {
  const stop: Stop = { startMs: 0, lostBefore: 0, hurry: new AbortController() };
  let signalMs = Number.NEGATIVE_INFINITY;
  let isStopping = false;
  let exitCode = 0;

  function begin(reason: string, drains: boolean): void {
    isStopping = true;
    stoppingState.set(true);
    stop.startMs = monotonicMs();
    stop.lostBefore = countCalls().lost;
    const facts = { reason, calls: countCalls().inFlight, secondsMax: parts.shutdownMs / 1000 };
    currentLogger().info(facts, "stopping; a second signal cuts the calls in flight");
    void run(parts, stop, drains)
      .catch((error: unknown) => {
        exitCode = 1;
        currentLogger().fatal({ error: toText(error) }, "could not stop in order");
      })
      .finally(() => {
        process.exit(reportLoss(stop) > 0 ? 1 : exitCode);
      });
  }

  return {
    signal(name) {
      const nowMs = monotonicMs();
      const isAnother = nowMs - signalMs > oneSignalMs;
      signalMs = nowMs;
      if (!isStopping) begin(name, name === "SIGTERM");
      else if (isAnother && !stop.hurry.signal.aborted) {
        currentLogger().warn({ reason: name }, "stopping at once: calls in flight are cut and committed");
        stop.hurry.abort();
      }
    },
    fail(reason, error) {
      exitCode = 1;
      currentLogger().fatal({ error: toText(error) }, reason);
      stop.hurry.abort();
      if (!isStopping) begin(reason, false);
    },
  };
}

async function run(parts: StopParts, { startMs, hurry }: Stop, drains: boolean): Promise<void> {
  const { shutdownMs, drainMs, listening, delivery } = parts;
  const reserveMs = Math.min(reserveMsMax, Math.max(reserveMsMin, shutdownMs / 5), shutdownMs / 2);
  const endMs = startMs + shutdownMs;
  const closeMs = endMs - reserveMs / 3;
  if (drains) await pause(drainMs, hurry.signal);

  const requestsOver = listening.drain();
  await Promise.race([requestsOver.then(callsSettled), pause(endMs - reserveMs - monotonicMs(), hurry.signal)]);

  const { inFlight } = countCalls();
  if (inFlight > 0) currentLogger().warn({ calls: inFlight }, "calls in flight are cut");
  cutCalls();
  delivery.hurry();
  await Promise.race([callsSettled(), pause(Math.max(closeMs - monotonicMs(), commitMsMin))]);
  await Promise.race([requestsOver, pause(flushMsMax)]);
  listening.close();

  const deliverMs = Math.max(0, closeMs - monotonicMs());
  const stored = within(Math.max(closeMsMin, deliverMs), parts.storeCounts(), "counts could not be stored in time");
  await delivery.stop(Date.now() + deliverMs, hurry.signal);
  await stored;
  const leftMs = Math.max(closeMsMin, endMs - monotonicMs());
  await within(leftMs, parts.closeRest(), "not everything could be closed in time");
  parts.release();
}

/** Says in our own log how many calls of this stop were not committed. */
function reportLoss({ lostBefore }: Stop): number {
  const { inFlight, lost } = countCalls();
  const calls = inFlight + lost - lostBefore;
  if (calls > 0) currentLogger().fatal({ calls }, `stopped, and ${String(calls)} calls could not be committed`);
  else currentLogger().info("stopped");
  return calls;
}

/** Waits so long, or until the signal is aborted. */
async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(Math.max(0, ms), null, { signal }).catch(() => undefined);
}

/** Waits for the work, and for no longer than so many milliseconds. A failure is only reported. */
async function within(ms: number, work: Promise<unknown>, complaint: string): Promise<void> {
  const done = work.then(
    () => null,
    (error: unknown) => toText(error),
  );
  const fault = await Promise.race([done, pause(ms).then(() => "timeout")]);
  if (fault !== null) currentLogger().warn({ error: fault }, complaint);
}

function toText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
