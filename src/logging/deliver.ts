import { setTimeout as sleep } from "node:timers/promises";
import { currentLogger } from "#lib/logger.ts";
import { monotonicMs, watchClock } from "#lib/monotonic.ts";
import { remoteWaitMsMax } from "#lib/retry-after.ts";
import { type AheadSlots, makeAheadSlots } from "#logging/ahead-slots.ts";
import { makeCircuits, type Circuits } from "#logging/circuit.ts";
import type { DeliverySource } from "#logging/delivery-source.ts";
import { type DestinationHealth, type HealthLog, makeHealthLog } from "#logging/destination-health.ts";
import { type Departure, fly } from "#logging/flight.ts";

/** Sends what is queued, one callback beside the other. */
export type Deliverer = {
  /** Something was queued: look for work soon. */
  wake(): void;
  /** Aborts what is in flight for a team and resolves when it has ended. */
  abortTeam(teamId: string): Promise<void>;
  /** Aborts everything that is in flight; it is due again. */
  abortAll(reason: string): void;
  /** Delivers until nothing is due or the deadline is reached, then starts nothing more. */
  drain(deadlineMs: number): Promise<void>;
  /** Ends a drain, this one or the next, as its deadline would. */
  endDrain(): void;
  /** How the destinations do; see `DestinationHealth`. */
  takeHealth(): DestinationHealth[];
  /** Tries open circuits at once, all or those of the given callbacks: somebody changed something. */
  retryNow(callbackIds?: readonly string[]): void;
};

/** Batches of a callback that are being sent one after the other. */
type Flight = { departure: Departure; done: Promise<void> };

/** What the parts of one deliverer share. */
type DelivererState = {
  source: DeliverySource;
  circuits: Circuits;
  flights: Map<string, Flight>;
  stopped: boolean;
  /** Aborted when a drain ends early. */
  drainEnd: AbortController;
  clock: () => number;
  health: HealthLog;
  ahead: AheadSlots;
  /** When records that wait for too long are looked for next, on the clock of `monotonicMs`. */
  hastenAtMs: number;
};

/** How long records are collected before they are sent together. */
const lingerMs = 200;
const idlePollMsDefault = 1_000;
const sweepMsDefault = 60_000;
/** Batches of different callbacks that are sent at the same time. */
const flightsMax = 64;
/** Of these, callbacks whose last try failed: destinations that hang leave room for those that work. */
const probesMax = 16;

/** Makes the deliverer of one queue. */
export function makeDeliverer(source: DeliverySource): Deliverer {
  const state = makeState(source);
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
      if (await followClock(state)) await buryAged(state);
      await startFlights(state, () => {
        schedule(0);
      });
    } catch (error) {
      currentLogger().error({ error: String(error) }, "the queue could not be read");
    }
    schedule(source.idlePollMs ?? idlePollMsDefault);
  }

  schedule(0);
  return {
    wake: () => {
      schedule(lingerMs);
    },
    takeHealth: () => state.health.take(),
    async abortTeam(teamId) {
      const flights = [...state.flights.values()].filter(({ departure }) => mayCarry(departure, teamId));
      for (const { departure } of flights) departure.controller.abort(new Error("The team's logging was disabled."));
      await Promise.all(flights.map((flight) => flight.done));
    },
    abortAll(reason) {
      for (const { departure } of state.flights.values()) departure.controller.abort(new Error(reason));
    },
    async drain(deadlineMs) {
      while (Date.now() < deadlineMs && !state.drainEnd.signal.aborted) {
        const started = await startFlights(state, () => undefined);
        if (started === 0 && state.flights.size === 0) break;
        if (state.flights.size === 0) continue;
        const deadline = new AbortController();
        const signal = AbortSignal.any([deadline.signal, state.drainEnd.signal]);
        const timedOut = sleep(Math.max(0, deadlineMs - Date.now()), null, { signal });
        await Promise.race([...[...state.flights.values()].map((flight) => flight.done), timedOut.catch(() => null)]);
        deadline.abort();
      }
      state.stopped = true;
      if (timer !== null) clearTimeout(timer);
      for (const { departure } of state.flights.values()) {
        departure.controller.abort(new Error("The gateway is stopping."));
      }
      await Promise.all([...state.flights.values()].map((flight) => flight.done));
    },
    endDrain: () => {
      state.drainEnd.abort();
    },
    retryNow: (callbackIds) => {
      state.circuits.clear(callbackIds);
      schedule(0);
    },
  };
}

function makeState(source: DeliverySource): DelivererState {
  const state: DelivererState = {
    source,
    circuits: makeCircuits(source.numbers),
    flights: new Map(),
    stopped: false,
    drainEnd: new AbortController(),
    clock: watchClock(),
    health: makeHealthLog(monotonicMs),
    // While all places are taken, others may be waiting for one: without room ahead, a turn ends after two batches.
    ahead: makeAheadSlots(() => !state.stopped && state.flights.size < flightsMax),
    hastenAtMs: 0,
  };
  return state;
}

/**
 * No record waits longer than the longest wait that is allowed. This is verified at the start, once a minute, and when
 * the clock was set back. Returns whether it was.
 */
async function followClock(state: DelivererState): Promise<boolean> {
  const { source, clock } = state;
  const backMs = clock();
  if (backMs > 0) currentLogger().warn({ backMs }, "the clock was set back");
  if (backMs === 0 && monotonicMs() < state.hastenAtMs) return false;
  state.hastenAtMs = monotonicMs() + (source.sweepMs ?? sweepMsDefault);
  const nowMs = Date.now();
  const longestMs = backMs > 0 ? source.numbers.retryMaxMs : Math.max(source.numbers.retryMaxMs, remoteWaitMsMax);
  await source.queue.hasten({ laterThanMs: nowMs + longestMs, nowMs });
  return true;
}

/**
 * Makes dead letters of records over age that wait for a later time or behind an open circuit. Those that are due and
 * whose destination is not known to fail get their try first, however old they are: the gateway may have been down.
 */
async function buryAged({ source, circuits, health }: DelivererState): Promise<void> {
  if (source.isFenced?.() === true) return;
  const { ageMaxMs } = source.numbers;
  const nowMs = Date.now();
  const reason = `Older than ${String(Math.round(ageMaxMs / 36_000) / 100)} h.`;
  const request = { ageFromMs: nowMs - ageMaxMs, nowMs, reason, failing: circuits.failing() };
  for (const { callbackId, count } of await source.queue.buryAged(request)) health.bury(callbackId, count);
}

/** Starts a flight for every callback that has work and none in flight. Returns how many it started. */
async function startFlights(state: DelivererState, onEnd: () => void): Promise<number> {
  if (state.source.isFenced?.() === true) return 0;
  const due = await state.source.queue.find({ by: "due", nowMs: Date.now() });
  let started = 0;
  for (const { callbackId } of due) {
    if (state.stopped || state.flights.size >= flightsMax) break;
    if (state.flights.has(callbackId) || state.circuits.isOpen(callbackId, monotonicMs())) continue;
    if (state.circuits.isSuspect(callbackId) && probes(state) >= probesMax) continue;
    startFlight(state, callbackId, onEnd);
    started += 1;
  }
  return started;
}

/** Flights to destinations that have not taken anything since they failed. */
function probes({ flights, circuits }: DelivererState): number {
  return [...flights.keys()].filter((callbackId) => circuits.isSuspect(callbackId)).length;
}

function mayCarry({ isClaiming, teamIds }: Departure, teamId: string): boolean {
  return isClaiming || teamIds.has(teamId);
}

function startFlight(state: DelivererState, callbackId: string, onEnd: () => void): void {
  const departure: Departure = {
    callbackId,
    teamIds: new Set(),
    isClaiming: false,
    controller: new AbortController(),
  };
  const done = fly(state, departure)
    .catch((error: unknown) => {
      currentLogger().error({ callbackId, error: String(error) }, "a delivery could not be settled");
      state.circuits.fail(callbackId, monotonicMs());
    })
    .finally(() => {
      state.flights.delete(callbackId);
      onEnd();
    });
  state.flights.set(callbackId, { departure, done });
}
