import { UpstreamError } from "#lib/errors.ts";
import { currentLogger } from "#lib/logger.ts";
import { makeCircuits, type Circuits } from "#logging/circuit.ts";
import { findDestination } from "#logging/destinations/index.ts";
import type { DeliveryContext, DeliveryResult, Destination } from "#logging/destinations/destination.ts";
import type { ClaimedDelivery, Queue, Settlement } from "#logging/queue/queue.ts";
import { redact } from "#logging/redact.ts";
import type { LogRecord } from "#logging/record.ts";
import type { RedactionLevel } from "#logging/redaction-level.ts";
import type { ResolvedCallback } from "#logging/resolve-callback.ts";
import { settlementOf, type DeliveryNumbers } from "#logging/settlement.ts";

/** What the deliverer asks the rest of the process. */
export type DeliverySource = {
  queue: Queue;
  /** The newest version of a callback. */
  resolve(callbackId: string): Promise<ResolvedCallback>;
  /** The redaction that holds now for records of this key and team at this callback. */
  redactionNow(callbackId: string, whose: { keyHash: string | null; teamId: string | null }): Promise<RedactionLevel>;
  isDisabled(teamId: string): boolean;
  numbers: DeliveryNumbers;
  keepMetadata: readonly string[];
};

/** Sends what is queued, one callback beside the other. */
export type Deliverer = {
  /** Something was queued: look for work soon. */
  wake(): void;
  /** Aborts what is in flight for a team and resolves when it has ended. */
  abortTeam(teamId: string): Promise<void>;
  /** Delivers until nothing is due or the deadline is reached, then starts nothing more. */
  drain(deadlineMs: number): Promise<void>;
  /** Forgets open circuits: somebody changed something. */
  retryNow(): void;
};

/** A batch that is being sent. */
type Flight = { teamIds: Set<string>; controller: AbortController; done: Promise<void> };

/** What the parts of one deliverer share. */
type DelivererState = { source: DeliverySource; circuits: Circuits; flights: Map<string, Flight>; stopped: boolean };

/** How long records are collected before they are sent together. */
const lingerMs = 200;
const idlePollMs = 1_000;
const leaseMs = 120_000;
const sendTimeoutMs = 30_000;
/** Batches of different callbacks that are sent at the same time. */
const flightsMax = 64;

/** Makes the deliverer of one queue. */
export function makeDeliverer(source: DeliverySource): Deliverer {
  const state: DelivererState = { source, circuits: makeCircuits(source.numbers), flights: new Map(), stopped: false };
  let timer: NodeJS.Timeout | null = null;
  let timerAtMs = 0;

  function schedule(delayMs: number): void {
    if (state.stopped) return;
    const atMs = Date.now() + delayMs;
    if (timer !== null) {
      if (timerAtMs <= atMs) return;
      clearTimeout(timer);
    }
    timerAtMs = atMs;
    timer = setTimeout(() => {
      timer = null;
      void round();
    }, delayMs);
  }

  async function round(): Promise<void> {
    try {
      await startFlights(state, () => {
        schedule(0);
      });
    } catch (error) {
      currentLogger().error({ error: String(error) }, "the queue could not be read");
    }
    schedule(idlePollMs);
  }

  schedule(0);
  return {
    wake: () => {
      schedule(lingerMs);
    },
    async abortTeam(teamId) {
      const flights = [...state.flights.values()].filter((flight) => flight.teamIds.has(teamId));
      for (const flight of flights) flight.controller.abort(new Error("The team's logging was disabled."));
      await Promise.all(flights.map((flight) => flight.done));
    },
    async drain(deadlineMs) {
      while (Date.now() < deadlineMs) {
        const started = await startFlights(state, () => undefined);
        if (started === 0 && state.flights.size === 0) break;
        const first = Promise.race([...state.flights.values()].map((flight) => flight.done));
        await Promise.race([first, sleep(Math.max(0, deadlineMs - Date.now()))]);
      }
      state.stopped = true;
      if (timer !== null) clearTimeout(timer);
      for (const flight of state.flights.values()) flight.controller.abort(new Error("The gateway is stopping."));
      await Promise.all([...state.flights.values()].map((flight) => flight.done));
    },
    retryNow: () => {
      state.circuits.clear();
      schedule(0);
    },
  };
}

/** Starts a flight for every callback that has work and none in flight. Returns how many it started. */
async function startFlights(state: DelivererState, onEnd: () => void): Promise<number> {
  const due = await state.source.queue.find({ by: "due", nowMs: Date.now() });
  let started = 0;
  for (const { callbackId } of due) {
    if (state.stopped || state.flights.size >= flightsMax) break;
    if (state.flights.has(callbackId) || state.circuits.isOpen(callbackId, Date.now())) continue;
    startFlight(state, callbackId, onEnd);
    started += 1;
  }
  return started;
}

function startFlight(state: DelivererState, callbackId: string, onEnd: () => void): void {
  const teamIds = new Set<string>();
  const controller = new AbortController();
  const done = fly(state, { callbackId, teamIds, controller })
    .catch((error: unknown) => {
      currentLogger().error({ callbackId, error: String(error) }, "a delivery could not be settled");
      state.circuits.fail(callbackId, Date.now());
    })
    .finally(() => {
      state.flights.delete(callbackId);
      onEnd();
    });
  state.flights.set(callbackId, { teamIds, controller, done });
}

async function fly(
  { source, circuits }: DelivererState,
  { callbackId, teamIds, controller }: { callbackId: string; teamIds: Set<string>; controller: AbortController },
): Promise<void> {
  const resolved = await source.resolve(callbackId);
  if (resolved.state === "gone") {
    await source.queue.purge({ callbackId });
    return;
  }
  const destination = resolved.state === "ready" ? findDestination(resolved.callbackName) : null;
  if (resolved.state === "misconfigured" || !destination) {
    circuits.fail(callbackId, Date.now());
    return;
  }
  const claimed = await source.queue.claim({
    callbackId,
    limit: destination.limits.batchRecordsMax,
    bytesMax: destination.limits.batchBytesMax,
    leaseMs,
    nowMs: Date.now(),
  });
  for (const { teamId } of claimed) if (teamId !== null) teamIds.add(teamId);
  const sendable = claimed.filter(({ teamId }) => teamId === null || !source.isDisabled(teamId));
  if (sendable.length === 0) return;
  const records = await Promise.all(sendable.map((delivery) => openRecord(delivery, source)));
  const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(sendTimeoutMs)]);
  const context = { callbackId, reach: resolved.reach, signal };
  const results = await send({ destination, records, vars: resolved.vars, context, isAborted: controller.signal });
  const nowMs = Date.now();
  const settlements = sendable.flatMap((delivery, index): Settlement[] => {
    const result = results[index];
    return result ? [settlementOf(delivery, result, { nowMs, numbers: source.numbers })] : [];
  });
  judge(circuits, callbackId, { results, nowMs });
  await source.queue.settle(settlements, nowMs);
}

async function openRecord(delivery: ClaimedDelivery, source: DeliverySource): Promise<LogRecord> {
  const record: LogRecord = JSON.parse(Buffer.from(delivery.body).toString("utf8"));
  const level = await source.redactionNow(delivery.callbackId, delivery);
  return redact(record, level, { keepMetadata: source.keepMetadata });
}

/** What became of each record, with the fault where the whole batch met one. */
type SendResult = DeliveryResult & { fault?: UpstreamError["fault"] };

async function send(batch: {
  destination: Destination;
  records: LogRecord[];
  vars: unknown;
  context: DeliveryContext;
  isAborted: AbortSignal;
}): Promise<readonly SendResult[]> {
  try {
    return await batch.destination.deliver(batch.records, batch.vars, batch.context);
  } catch (error) {
    if (batch.isAborted.aborted) return batch.records.map(() => interrupted);
    const failure = toUpstreamFailure(error);
    const wait = failure.retryAfterMs === null ? {} : { retryAfterMs: failure.retryAfterMs };
    const outcome = failure.fault === "record" || failure.fault === "too_large" ? "dead" : "retry";
    return batch.records.map(() => ({
      outcome,
      status: failure.status,
      message: failure.message,
      fault: failure.fault,
      ...wait,
    }));
  }
}

const interrupted: SendResult = { outcome: "retry", status: 0, message: "interrupted", fault: "destination", retryAfterMs: 0 };

/** Anything but an `UpstreamError` that a destination throws is a bug or a deadline: the records wait and stay. */
function toUpstreamFailure(error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  if (error instanceof Error && error.name === "TimeoutError") {
    return new UpstreamError(0, "The destination did not answer in time.", { cause: error });
  }
  currentLogger().error({ error: error instanceof Error ? error.stack : String(error) }, "a destination failed");
  return new UpstreamError(0, "The record could not be sent (internal error).", { cause: error });
}

function judge(
  circuits: Circuits,
  callbackId: string,
  { results, nowMs }: { results: readonly SendResult[]; nowMs: number },
): void {
  const first = results[0];
  if (first === undefined || first === interrupted) return;
  if (first.outcome === "retry") circuits.fail(callbackId, nowMs, first.retryAfterMs);
  else circuits.succeed(callbackId);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
