import path from "node:path";
import { parseArgs } from "node:util";
import { runCell } from "./cell.ts";
import type { CellResult } from "./cell.ts";
import { startServer } from "./child.ts";
import { loads, type Load } from "./loads.ts";
import { positive } from "./positive.ts";
import { toRow, toTable } from "./report.ts";
import type { Row } from "./report.ts";
import { chooseSystems } from "./systems.ts";

/**
 * The benchmark: every system against the same mock upstream in the same run, under each kind of load, and one Markdown
 * table on standard output (`--json`: JSON). Progress and remarks go to standard error.
 * Options: `--requests 10000 --warmup 30000 --concurrency 32 --rounds 1 --only pass-through,portkey
 * --loads whole,streamed,embeddings,large-prompt`. With `--rate 2000` calls come at that rate, the same for all systems,
 * instead of so many being under way at a time: a system that answers sooner is not busier for it.
 */

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "10000" },
    warmup: { type: "string", default: "30000" },
    concurrency: { type: "string", default: "32" },
    rounds: { type: "string", default: "1" },
    only: { type: "string" },
    loads: { type: "string" },
    rate: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const options = {
  requests: positive("requests", values.requests),
  warmup: positive("warmup", values.warmup),
  concurrency: positive("concurrency", values.concurrency),
  ratePerSecond: values.rate === undefined ? null : positive("rate", values.rate),
};
const rounds = positive("rounds", values.rounds);
const chosen = chooseSystems(values.only?.split(","));
const chosenLoads = chooseLoads(values.loads?.split(","));

const folder = import.meta.dirname;
const upstream = await startServer(path.join(folder, "mock-upstream.ts"));
const langfuse = await startServer(path.join(folder, "../e2e/fakes/langfuse.ts"));
try {
  const rows = await measureAll({ upstreamUrl: upstream.url, langfuseUrl: langfuse.url });
  process.stdout.write(values.json ? `${JSON.stringify(rows, null, 2)}\n` : toTable(rows));
} finally {
  await Promise.all([upstream.stop(), langfuse.stop()]);
}

/** Interleaves: each round runs every system once per kind of load, so that a slow moment hits all of them. */
async function measureAll(surroundings: { upstreamUrl: string; langfuseUrl: string }): Promise<Row[]> {
  const results = new Map<string, CellResult[]>();
  for (let round = 1; round <= rounds; round += 1) {
    for (const load of chosenLoads) {
      for (const system of chosen) {
        const name = `${system.name} ${load.name}`;
        process.stderr.write(`round ${String(round)}: ${name}\n`);
        const result = await runCell(system, surroundings, { ...options, load });
        if (result.firstFailure !== null) process.stderr.write(`  first failure: ${result.firstFailure}\n`);
        results.set(name, [...(results.get(name) ?? []), result]);
      }
    }
  }
  return chosenLoads.flatMap((load) =>
    chosen.map((system) => toRow(system.label, load.label, results.get(`${system.name} ${load.name}`) ?? [])),
  );
}

function chooseLoads(names: string[] | undefined): readonly Load[] {
  const unknown = names?.filter((name) => !loads.some((load) => load.name === name)) ?? [];
  if (unknown.length > 0) {
    throw new Error(`--loads knows ${loads.map((load) => load.name).join(", ")}; not ${unknown.join(", ")}.`);
  }
  return names ? loads.filter(({ name }) => names.includes(name)) : loads;
}
