import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { runLoad } from "./load.ts";
import { measureGroup } from "./measure.ts";
import { langfuseProject } from "./systems.ts";
import type { RunningSystem, Surroundings, System } from "./systems.ts";

/** One system under one kind of load, from start to stop. */

/** How much to send. */
export type CellOptions = { streamed: boolean; requests: number; warmup: number; concurrency: number };

/** What was measured. */
export type CellResult = {
  requestsPerSecond: number;
  latenciesMs: number[];
  /** CPU of the whole process group per request, the delivery of its record included. */
  cpuUsPerRequest: number;
  rssBytes: number;
  failed: number;
  firstFailure: string | null;
  /** Null where the system logs nothing. */
  records: RecordCounts | null;
};

/** What became of the records of the answered requests. */
export type RecordCounts = {
  delivered: number;
  lost: number;
  /** Arrivals beyond the first of each record. */
  duplicated: number;
  /** Seconds from the last answer until the last record had arrived, or until waiting ended. */
  drainSeconds: number;
};

const drainMs = 60_000;
const settleMs = 500;
const Calls = z.object({ calls: z.record(z.string(), z.number()) });

/** Starts a system afresh, warms it up, measures, waits for its records, and stops it. */
export async function runCell(system: System, surroundings: Surroundings, options: CellOptions): Promise<CellResult> {
  await fetch(`${surroundings.langfuseUrl}/__fake/reset`, { method: "POST" });
  const running = await system.start(surroundings);
  try {
    return await measureCell({ system, running, surroundings, options });
  } finally {
    await running.stop();
  }
}

type Cell = { system: System; running: RunningSystem; surroundings: Surroundings; options: CellOptions };

async function measureCell({ system, running, surroundings, options }: Cell): Promise<CellResult> {
  const { streamed, concurrency } = options;
  const { url, headers, child } = running;
  const plan = { url, headers, streamed, concurrency };
  const warm = await runLoad({ ...plan, requests: options.warmup, callIdPrefix: "bench-warm-" });
  if (system.logs) await drain(surroundings.langfuseUrl, warm.answered);
  await sleep(settleMs);
  const before = measureGroup(child.pid);
  const load = await runLoad({ ...plan, requests: options.requests, callIdPrefix: "bench-run-" });
  const drainSeconds = system.logs ? await drain(surroundings.langfuseUrl, load.answered) : 0;
  // What a system does after its last answer belongs to the price of the requests.
  await sleep(settleMs);
  const after = measureGroup(child.pid);
  const records = system.logs
    ? { ...(await countRecords(surroundings.langfuseUrl, load.answered)), drainSeconds }
    : null;
  return {
    requestsPerSecond: load.answered.length / load.seconds,
    latenciesMs: load.latenciesMs,
    cpuUsPerRequest: (after.cpuUs - before.cpuUs) / options.requests,
    rssBytes: after.rssBytes,
    failed: load.failed,
    firstFailure: load.firstFailure,
    records,
  };
}

/** Waits until every one of these calls has arrived at the fake Langfuse, at most a minute; the seconds it took. */
async function drain(langfuseUrl: string, callIds: readonly string[]): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    const { lost } = await countRecords(langfuseUrl, callIds);
    const elapsedMs = performance.now() - startedMs;
    if (lost === 0 || elapsedMs > drainMs) return elapsedMs / 1000;
    await sleep(250);
  }
}

async function countRecords(
  langfuseUrl: string,
  callIds: readonly string[],
): Promise<Omit<RecordCounts, "drainSeconds">> {
  const response = await fetch(`${langfuseUrl}/__fake/calls?project=${langfuseProject.id}`);
  const { calls } = Calls.parse(await response.json());
  const arrivals = callIds.map((id) => calls[id] ?? 0);
  const delivered = arrivals.filter((count) => count > 0).length;
  const received = arrivals.reduce((sum, count) => sum + count, 0);
  return { delivered, lost: callIds.length - delivered, duplicated: received - delivered };
}
