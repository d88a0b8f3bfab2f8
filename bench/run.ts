import path from "node:path";
import { parseArgs } from "node:util";
import { runCell } from "./cell.ts";
import type { CellResult } from "./cell.ts";
import { startServer } from "./child.ts";
import { toRow, toTable } from "./report.ts";
import type { Row } from "./report.ts";
import { systems } from "./systems.ts";

/**
 * The benchmark: every system against the same mock upstream in the same run, streamed and not, and one Markdown table
 * on standard output (`--json`: JSON). Progress and remarks go to standard error.
 * Options: `--requests 10000 --warmup 15000 --concurrency 32 --rounds 1 --only pass-through,portkey`.
 */

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "10000" },
    warmup: { type: "string", default: "15000" },
    concurrency: { type: "string", default: "32" },
    rounds: { type: "string", default: "1" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const options = {
  requests: positive("requests", values.requests),
  warmup: positive("warmup", values.warmup),
  concurrency: positive("concurrency", values.concurrency),
};
const rounds = positive("rounds", values.rounds);
const chosen = chooseSystems(values.only?.split(","));

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
    for (const streamed of [false, true]) {
      for (const system of chosen) {
        const name = `${system.name} ${streamed ? "streamed" : "whole"}`;
        process.stderr.write(`round ${String(round)}: ${name}\n`);
        const result = await runCell(system, surroundings, { ...options, streamed });
        if (result.firstFailure !== null) process.stderr.write(`  first failure: ${result.firstFailure}\n`);
        results.set(name, [...(results.get(name) ?? []), result]);
      }
    }
  }
  return [false, true].flatMap((streamed) =>
    chosen.map((system) => {
      const cells = results.get(`${system.name} ${streamed ? "streamed" : "whole"}`) ?? [];
      return toRow(system.label, streamed, cells);
    }),
  );
}

function chooseSystems(names: string[] | undefined) {
  const unknown = names?.filter((name) => !systems.some((system) => system.name === name)) ?? [];
  if (unknown.length > 0) {
    throw new Error(`--only knows ${systems.map((system) => system.name).join(", ")}; not ${unknown.join(", ")}.`);
  }
  return systems.filter((system) => {
    if (names && !names.includes(system.name)) return false;
    const obstacle = system.obstacle();
    if (obstacle !== null) process.stderr.write(`NOT MEASURED: ${system.label} (${obstacle})\n`);
    return obstacle === null;
  });
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number above 0.`);
  return value;
}
