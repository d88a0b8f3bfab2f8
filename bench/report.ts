import type { CellResult } from "./cell.ts";
import { median, quantile } from "./measure.ts";

/** One row of the table: a system under one kind of load, over all rounds. */
export type Row = {
  system: string;
  /** What kind of request was sent. */
  load: string;
  rounds: number;
  /** Medians over the rounds. */
  requestsPerSecond: number;
  cpuUsPerRequest: number;
  databaseCpuUsPerRequest: number | null;
  rssMb: number;
  /** Over the requests of all rounds. */
  p50Ms: number;
  p99Ms: number;
  failed: number;
  delivered: number | null;
  lost: number | null;
  duplicated: number | null;
  drainSecondsMax: number | null;
};

/** Sums up the rounds of one cell. */
export function toRow(system: string, load: string, cells: readonly CellResult[]): Row {
  const latencies = cells.flatMap((cell) => cell.latenciesMs).toSorted((left, right) => left - right);
  const records = cells.flatMap((cell) => (cell.records ? [cell.records] : []));
  const databaseUs = cells.flatMap((cell) => cell.databaseCpuUsPerRequest ?? []);
  const sum = (numbers: number[]) => (records.length > 0 ? numbers.reduce((total, value) => total + value, 0) : null);
  return {
    system,
    load,
    rounds: cells.length,
    requestsPerSecond: median(cells.map((cell) => cell.requestsPerSecond)),
    cpuUsPerRequest: median(cells.map((cell) => cell.cpuUsPerRequest)),
    databaseCpuUsPerRequest: databaseUs.length > 0 ? median(databaseUs) : null,
    rssMb: median(cells.map((cell) => cell.rssBytes)) / 1e6,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    failed: cells.reduce((total, cell) => total + cell.failed, 0),
    delivered: sum(records.map((counts) => counts.delivered)),
    lost: sum(records.map((counts) => counts.lost)),
    duplicated: sum(records.map((counts) => counts.duplicated)),
    drainSecondsMax: records.length > 0 ? Math.max(...records.map((counts) => counts.drainSeconds)) : null,
  };
}

/** The Markdown table. */
export function toTable(rows: readonly Row[]): string {
  const withDatabase = rows.some((row) => row.databaseCpuUsPerRequest !== null);
  const header = [
    "system",
    "answers",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "CPU µs/request",
    ...(withDatabase ? ["CPU µs/request of PostgreSQL"] : []),
    "RSS MB",
    "failed",
    "records delivered",
    "lost",
    "duplicated",
  ];
  const lines = rows.map((row) => [
    row.system,
    row.load,
    row.requestsPerSecond.toFixed(0),
    row.p50Ms.toFixed(1),
    row.p99Ms.toFixed(1),
    row.cpuUsPerRequest.toFixed(0),
    ...(withDatabase ? [row.databaseCpuUsPerRequest?.toFixed(0) ?? "–"] : []),
    row.rssMb.toFixed(0),
    String(row.failed),
    ...[row.delivered, row.lost, row.duplicated].map((count) => (count === null ? "–" : String(count))),
  ]);
  return toMarkdown(header, lines, 2);
}

/** A Markdown table whose first `textColumns` columns hold text and the others numbers. */
export function toMarkdown(header: readonly string[], lines: readonly string[][], textColumns: number): string {
  const rule = header.map((_, index) => (index < textColumns ? "---" : "---:"));
  return [header, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}
