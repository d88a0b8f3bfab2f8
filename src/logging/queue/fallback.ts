import { currentLogger } from "#lib/logger.ts";
import type { DatabaseQueue } from "#logging/queue/database.ts";
import { isAway } from "#logging/queue/database-pool.ts";
import type { LocalQueue } from "#logging/queue/local.ts";
import { makeMover } from "#logging/queue/mover.ts";
import type { DeliveryCounts, Queue, Settlement } from "#logging/queue/queue.ts";
import { toFind } from "#logging/queue/to-find.ts";

/** The two queues, and how often it is looked whether the database is back and anything is to be moved. */
export type FallbackParts = { database: DatabaseQueue; local: LocalQueue; intervalMs?: number };

type Unsettled = { settlements: readonly Settlement[]; nowMs: number };

/** Settlements that wait for the database, at most; more of them are made again when their leases have ended. */
const unsettledMax = 1_000;

/**
 * The queue in PostgreSQL with a local one for the time that PostgreSQL is away: records are committed to the file then,
 * and moved over when it is back, also what an earlier process has left there. Nothing is handed out from the file.
 */
export function makeFallbackQueue({ database, local, intervalMs = 1_000 }: FallbackParts): Queue {
  const mover = makeMover(database, local);
  const presence = makePresence();
  const { reach, noteFailure, hurry, bound } = { ...presence, ...makeHurry() };
  const unsettled: Unsettled[] = [];

  async function tick(): Promise<void> {
    if (presence.isGone()) {
      await database.ping();
      presence.noteReturn();
    }
    await settleWaiting(database, unsettled);
    await mover.move();
  }

  const timer = repeat(intervalMs, () =>
    tick().catch((error: unknown) => {
      noteFailure(error);
      if (!isAway(error)) currentLogger().error({ error: String(error) }, "the local queue could not be moved");
    }),
  );

  const find = toFind({
    async findRows(request) {
      const rows = [...(await local.find(request)), ...(await database.find(request))];
      return [...new Map(rows.map((row) => [`${row.recordId} ${row.callbackId}`, row])).values()];
    },
    findDue: (nowMs) => reach(() => database.find({ by: "due", nowMs }), []),
    findCounts(callbackIds) {
      const request = { by: "counts", ...(callbackIds ? { callbackIds } : {}) } as const;
      // What is being moved is in both for a moment.
      const both = [() => reach(() => database.find(request), []), () => local.find(request)];
      return mover.pause(async () => sumCounts((await Promise.all(both.map((count) => count()))).flat()));
    },
  });

  return {
    async append(entries) {
      if (!presence.isGone()) {
        const failure = await bound(database.append(entries).then(() => null, toError));
        if (failure === null) return;
        presence.noteRefusal(failure);
      }
      await local.append(entries);
      mover.note();
    },
    claim: (request) => reach(() => database.claim(request), []),
    async settle(settlements, nowMs) {
      if (await reach(() => database.settle(settlements, nowMs).then(() => true), false)) return;
      if (unsettled.length < unsettledMax) unsettled.push({ settlements, nowMs });
    },
    purge: (request) => mover.pause(async () => (await local.purge(request)) + (await database.purge(request))),
    find,
    expire: (request) =>
      mover.pause(async () => (await local.expire(request)) + (await reach(() => database.expire(request), 0))),
    async hasten(request) {
      await Promise.all([local.hasten(request), reach(() => database.hasten(request), undefined)]);
    },
    // What is in the file waits for the database, not for its destination.
    buryAged: (request) => reach(() => database.buryAged(request), []),
    // What is dead in the file is moved before long.
    list: (request) => database.list(request),
    revise: (request) => database.revise(request),
    retained: (request) => database.retained(request),
    sizes: async () => [...(await local.sizes()), ...(await reach(() => database.sizes(), []))],
    hurry,
    async close() {
      await timer.stop();
      await Promise.all([local.close(), database.close()]);
    },
  };
}

/** Settles what waits, in order. What is refused is made again when its leases have ended, and keeps nothing waiting. */
async function settleWaiting(database: DatabaseQueue, waiting: Unsettled[]): Promise<void> {
  for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
    await database.settle(next.settlements, next.nowMs).catch((error: unknown) => {
      if (isAway(error)) throw error;
      currentLogger().error({ error: String(error) }, "deliveries could not be settled");
    });
    waiting.shift();
  }
}

/** Whether the database is there, as far as its last statement told. */
function makePresence() {
  let isGone = false;

  function noteFailure(error: unknown): void {
    if (!isAway(error) || isGone) return;
    isGone = true;
    currentLogger().warn({ error: String(error) }, "the database is away; records are kept in the local queue");
  }

  return {
    /** An append that failed. */
    noteRefusal(failure: Error): void {
      noteFailure(failure);
      if (!isAway(failure)) currentLogger().error({ error: failure.message }, "the database kept no records");
    },
    isGone: () => isGone,
    noteFailure,
    noteReturn() {
      isGone = false;
      currentLogger().info("the database is back");
    },
    /** Runs work on the database, or answers `absent` where it is away. */
    async reach<T>(work: () => Promise<T>, absent: T): Promise<T> {
      if (isGone) return absent;
      try {
        return await work();
      } catch (error) {
        noteFailure(error);
        if (isAway(error)) return absent;
        throw error;
      }
    },
  };
}

/** At a stop, so long is waited for the database to take records, in milliseconds. It may still take them later. */
const hurriedMs = 1_500;

/** Bounds the waits for the database once the process is stopping. */
function makeHurry() {
  const waiting = new Set<() => void>();
  let isHurried = false;
  return {
    hurry(): void {
      isHurried = true;
      for (const startTimer of waiting) startTimer();
      waiting.clear();
    },
    /** The failure of the work, or that it took too long. */
    bound(work: Promise<Error | null>): Promise<Error | null> {
      return new Promise((resolve) => {
        const late = new Error("The gateway is stopping, and the database did not keep records before the timeout.");
        const startTimer = (): void => void setTimeout(resolve, hurriedMs, late).unref();
        if (isHurried) startTimer();
        else waiting.add(startTimer);
        void work.then(resolve).finally(() => waiting.delete(startTimer));
      });
    },
  };
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

function sumCounts(counts: readonly DeliveryCounts[]): DeliveryCounts[] {
  const sums = new Map<string, DeliveryCounts>();
  for (const { callbackId, state, count } of counts) {
    const key = `${callbackId} ${state}`;
    sums.set(key, { callbackId, state, count: count + (sums.get(key)?.count ?? 0) });
  }
  return [...sums.values()];
}

/** Repeats work with pauses until it is stopped; `stop` waits for what runs. */
function repeat(intervalMs: number, work: () => Promise<void>): { stop(): Promise<void> } {
  let isStopped = false;
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout;
  function next(): void {
    timer = setTimeout(() => {
      running = work().finally(() => {
        if (!isStopped) next();
      });
    }, intervalMs);
    timer.unref();
  }
  next();
  return {
    stop() {
      isStopped = true;
      clearTimeout(timer);
      return running;
    },
  };
}
