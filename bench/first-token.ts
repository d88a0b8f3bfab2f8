import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { countArrivals, drain, forgetArrivals, type Arrivals } from "./arrivals.ts";
import { startServer } from "./child.ts";
import { toFirstTokenTable, type FirstTokenRow } from "./first-token-table.ts";
import { runLoad } from "./load.ts";
import { streamed } from "./loads.ts";
import { positive } from "./positive.ts";
import { runSteadyLoad, type SteadyResult } from "./steady-load.ts";
import { chooseSystems, type RunningSystem, type System } from "./systems.ts";

/**
 * What each system adds to the time to the first token of a streamed call, beside the others in the same run. A system's
 * saturation is the rate at which it answers streamed calls while `--concurrency` are always under way. Then calls come
 * at a fixed rate: at half of the system's own saturation, and at half of that of the slowest system, which is the same
 * for all. What the upstream answers at that rate when it is asked directly is taken off.
 * All systems run from beginning to end, and all but the one that is measured are idle. Prints one Markdown table.
 * Options: `--saturation 5000 --warmup 15000 --concurrency 32 --seconds 5 --rounds 5 --only pass-through,portkey`.
 */

const { values } = parseArgs({
  options: {
    saturation: { type: "string", default: "5000" },
    warmup: { type: "string", default: "15000" },
    concurrency: { type: "string", default: "32" },
    seconds: { type: "string", default: "5" },
    rounds: { type: "string", default: "5" },
    only: { type: "string" },
  },
});
const saturationRequests = positive("saturation", values.saturation);
const warmup = positive("warmup", values.warmup);
const concurrency = positive("concurrency", values.concurrency);
const seconds = positive("seconds", values.seconds);
const rounds = positive("rounds", values.rounds);
const chosen = chooseSystems(values.only?.split(","));

/** A started system and what was found out about it. */
type Candidate = { system: System; running: RunningSystem; saturation: number };

/** What was measured at one rate. */
type Run = SteadyResult & { records: Arrivals | null };

const settleMs = 500;
const upstream = await startServer(path.join(import.meta.dirname, "mock-upstream.ts"));
const langfuse = await startServer(path.join(import.meta.dirname, "../e2e/fakes/langfuse.ts"));
const surroundings = { upstreamUrl: upstream.url, langfuseUrl: langfuse.url };
/** By whom and at which rate. */
const runs = new Map<string, Run[]>();
const started: RunningSystem[] = [];
try {
  const candidates: Candidate[] = [];
  for (const system of chosen) {
    const running = await system.start(surroundings);
    started.push(running);
    candidates.push({ system, running, saturation: await findSaturation(system, running) });
  }
  const shared = halfOf(Math.min(...candidates.map(({ saturation }) => saturation)));
  for (let round = 1; round <= rounds; round += 1) {
    process.stderr.write(`round ${String(round)}\n`);
    await measureRound(candidates, shared);
  }
  process.stdout.write(toFirstTokenTable(toRows(candidates, shared)));
} finally {
  await Promise.all([...started, upstream, langfuse].map((process) => process.stop()));
}

/** Streamed calls a second, warm, with so many at a time; what is logged has arrived before this returns. */
async function findSaturation(system: System, { url, headers }: RunningSystem): Promise<number> {
  process.stderr.write(`saturation of ${system.name}\n`);
  const plan = { url, headers, load: streamed, concurrency };
  const warm = await runLoad({ ...plan, requests: warmup, callIdPrefix: "bench-warm-" });
  if (system.logs) await drain(langfuse.url, warm.answered);
  await sleep(settleMs);
  const sent = await runLoad({ ...plan, requests: saturationRequests, callIdPrefix: "bench-run-" });
  if (system.logs) await drain(langfuse.url, sent.answered);
  const failure = sent.firstFailure ?? warm.firstFailure;
  if (failure !== null) throw new Error(`${system.name} does not answer every call: ${failure}`);
  return sent.answered.length / sent.seconds;
}

/** Every system once at either rate, and at each of these rates the upstream itself. */
async function measureRound(candidates: readonly Candidate[], shared: number): Promise<void> {
  const direct = { name: "direct", url: upstream.url, headers: {}, logs: false };
  const plans = candidates.flatMap(({ system: { name, logs }, running: { url, headers }, saturation }) =>
    [shared, halfOf(saturation)].flatMap((rate) => [
      { ...direct, rate },
      { name, logs, url, headers, rate },
    ]),
  );
  const done = new Set<string>();
  for (const plan of plans) {
    // The slowest system's own rate is the shared one.
    const name = nameOf(plan.name, plan.rate);
    if (done.has(name)) continue;
    done.add(name);
    runs.set(name, [...(runs.get(name) ?? []), await measure(plan)]);
  }
}

type Plan = { url: string; headers: Record<string, string>; logs: boolean; rate: number };

async function measure({ url, headers, logs, rate }: Plan): Promise<Run> {
  if (logs) await forgetArrivals(langfuse.url);
  const result = await runSteadyLoad({ url, headers, load: streamed, ratePerSecond: rate, seconds });
  if (logs) await drain(langfuse.url, result.answered);
  await sleep(settleMs);
  const records = logs ? await countArrivals(langfuse.url, result.answered) : null;
  if (result.firstFailure !== null) process.stderr.write(`  first failure: ${result.firstFailure}\n`);
  return { ...result, records };
}

function toRows(candidates: readonly Candidate[], shared: number): FirstTokenRow[] {
  const rowOf = ({ system, saturation }: Candidate, rate: number, isShared: boolean): FirstTokenRow => {
    const own = runs.get(nameOf(system.name, rate)) ?? [];
    const direct = runs.get(nameOf("direct", rate)) ?? [];
    const records = own.flatMap((run) => run.records ?? []);
    const sum = (numbers: number[]) => (records.length > 0 ? numbers.reduce((total, value) => total + value, 0) : null);
    return {
      ...{ system: system.label, isFloor: system.name === "pass-through", isShared, saturation, rate },
      firstTokenMs: own.map(({ firstTokenMs }) => firstTokenMs),
      directMs: direct.map(({ firstTokenMs }) => firstTokenMs),
      failed: own.reduce((total, { failed }) => total + failed, 0),
      delivered: sum(records.map(({ delivered }) => delivered)),
      lost: sum(records.map(({ lost }) => lost)),
      duplicated: sum(records.map(({ duplicated }) => duplicated)),
    };
  };
  return [
    ...candidates.map((candidate) => rowOf(candidate, halfOf(candidate.saturation), false)),
    ...candidates.map((candidate) => rowOf(candidate, shared, true)),
  ];
}

function halfOf(saturation: number): number {
  return Math.max(1, Math.floor(saturation / 2));
}

function nameOf(name: string, rate: number): string {
  return `${name} ${String(rate)}`;
}
