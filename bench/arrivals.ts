import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { langfuseProject } from "./systems.ts";

/** What became of the records of answered requests. */
export type Arrivals = {
  delivered: number;
  lost: number;
  /** Arrivals beyond the first of each record. */
  duplicated: number;
};

const drainMs = 60_000;
const Calls = z.object({ calls: z.record(z.string(), z.number()) });

/** Waits until every one of these calls has arrived at the fake Langfuse, at most a minute; the seconds it took. */
export async function drain(langfuseUrl: string, callIds: readonly string[]): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    const { lost } = await countArrivals(langfuseUrl, callIds);
    const elapsedMs = performance.now() - startedMs;
    if (lost === 0 || elapsedMs > drainMs) return elapsedMs / 1000;
    await sleep(250);
  }
}

/** Looks for these calls at the fake Langfuse. */
export async function countArrivals(langfuseUrl: string, callIds: readonly string[]): Promise<Arrivals> {
  const response = await fetch(`${langfuseUrl}/__fake/calls?project=${langfuseProject.id}`);
  const { calls } = Calls.parse(await response.json());
  const arrivals = callIds.map((id) => calls[id] ?? 0);
  const delivered = arrivals.filter((count) => count > 0).length;
  const received = arrivals.reduce((sum, count) => sum + count, 0);
  return { delivered, lost: callIds.length - delivered, duplicated: received - delivered };
}

/** Makes the fake Langfuse forget what arrived. */
export async function forgetArrivals(langfuseUrl: string): Promise<void> {
  const response = await fetch(`${langfuseUrl}/__fake/reset`, { method: "POST" });
  await response.arrayBuffer();
}
