import { setTimeout as sleep } from "node:timers/promises";
import { countArrivals, drain, forgetArrivals, type Arrivals } from "./arrivals.ts";
import { runLoad } from "./load.ts";
import type { Load } from "./loads.ts";
import { measureChildren, measureGroup } from "./measure.ts";
import { runSteadyLoad, type SteadyPlan } from "./steady-load.ts";
import type { RunningSystem, Surroundings, System } from "./systems.ts";

/** One system under one kind of load, from start to stop. */

/** How much to send: so many at a time, or, where there is a rate, so many a second. */
export type CellOptions = {
  load: Load;
  requests: number;
  warmup: number;
  concurrency: number;
  ratePerSecond: number | null;
};

/** What was measured. */
export type CellResult = {
  requestsPerSecond: number;
  latenciesMs: number[];
  /** CPU of the whole process group per request, the delivery of its record included. */
  cpuUsPerRequest: number;
  /** That of a PostgreSQL beside it; null where there is none. */
  databaseCpuUsPerRequest: number | null;
  rssBytes: number;
  failed: number;
  firstFailure: string | null;
  /** Null where the system logs nothing. */
  records: RecordCounts | null;
};

/** What became of the records of the answered requests. */
export type RecordCounts = Arrivals & {
  /** Seconds from the last answer until the last record had arrived, or until waiting ended. */
  drainSeconds: number;
};

const settleMs = 500;
/** What a system still clears away of its start is no price of a request. */
const restMs = 5_000;

/** Starts a system afresh, warms it up, measures, waits for its records, and stops it. */
export async function runCell(system: System, surroundings: Surroundings, options: CellOptions): Promise<CellResult> {
  await forgetArrivals(surroundings.langfuseUrl);
  const running = await system.start(surroundings);
  try {
    return await measureCell({ system, running, surroundings, options });
  } finally {
    await running.stop();
  }
}

type Cell = { system: System; running: RunningSystem; surroundings: Surroundings; options: CellOptions };

async function measureCell({ system, running, surroundings, options }: Cell): Promise<CellResult> {
  const { load, concurrency, ratePerSecond } = options;
  const { url, headers, child, databasePid } = running;
  const databaseCpuUs = () => (databasePid === undefined ? null : measureChildren(databasePid).cpuUs);
  const plan = { url, headers, load, concurrency };
  const warm = await runLoad({ ...plan, requests: options.warmup, callIdPrefix: "bench-warm-" });
  if (system.logs) await drain(surroundings.langfuseUrl, warm.answered);
  await sleep(restMs);
  const before = measureGroup(child.pid);
  const databaseBeforeUs = databaseCpuUs();
  const sent =
    ratePerSecond === null
      ? {
          ...(await runLoad({ ...plan, requests: options.requests, callIdPrefix: "bench-run-" })),
          sent: options.requests,
        }
      : await runAtRate({ url, headers, load, ratePerSecond, seconds: Math.ceil(options.requests / ratePerSecond) });
  const drainSeconds = system.logs ? await drain(surroundings.langfuseUrl, sent.answered) : 0;
  // What a system does after its last answer belongs to the price of the requests.
  await sleep(settleMs);
  const after = measureGroup(child.pid);
  const databaseAfterUs = databaseCpuUs();
  const records = system.logs
    ? { ...(await countArrivals(surroundings.langfuseUrl, sent.answered)), drainSeconds }
    : null;
  return {
    requestsPerSecond: (sent.sent - sent.failed) / sent.seconds,
    latenciesMs: sent.latenciesMs,
    cpuUsPerRequest: (after.cpuUs - before.cpuUs) / sent.sent,
    databaseCpuUsPerRequest:
      databaseAfterUs === null || databaseBeforeUs === null ? null : (databaseAfterUs - databaseBeforeUs) / sent.sent,
    rssBytes: after.rssBytes,
    failed: sent.failed,
    firstFailure: sent.firstFailure,
    records,
  };
}

async function runAtRate(plan: SteadyPlan) {
  const { answerMs, ...result } = await runSteadyLoad(plan);
  return { ...result, latenciesMs: answerMs };
}
