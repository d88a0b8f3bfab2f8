import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import { countRecords, makeEntry, startWorker } from "./delivery-worker.ts";
import { positive } from "./positive.ts";
import { startRecordSink } from "./record-sink.ts";

/**
 * Whether memory stays flat while one delivery thread queues and delivers 4 kB records to a local sink as fast as it can,
 * on the `local` queue. Prints one Markdown table, a row a minute. Options: `--minutes 10`.
 */

const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" } } });
const minutes = positive("minutes", values.minutes);
const minuteMs = 60_000;
const groupEntries = 100;
/** So many records are queued and not delivered at most, so that what is measured is work and not a queue that grows. */
const aheadMax = 4_000;

const sink = await startRecordSink();
sink.setReading(false);
const folder = mkdtempSync(path.join(tmpdir(), "sluice-soak-"));
let queued = 0;
let delivered = 0;
sink.onBatch((body) => (delivered += countRecords(body)));
const queue = { queuePath: path.join(folder, "records.sqlite"), queueDatabaseUrl: null };
const delivery = await startWorker(queue, sink.url("fast"));
const rows: string[][] = [];
try {
  for (let minute = 1; minute <= minutes; minute += 1) rows.push(await runMinute(minute));
  while (delivered < queued) await sleep(100);
} finally {
  await delivery.stop(0);
  await sink.stop();
  await closeUpstreams();
  rmSync(folder, { recursive: true, force: true });
}
const header = ["minute", "delivered/s", "lowest RSS MB", "highest RSS MB", "queue on disk MB"];
const rule = header.map(() => "---:");
process.stdout.write([header, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join(""));
process.stdout.write(`\n${String(queued)} queued, ${String(delivered)} delivered.\n`);

/** Queues and delivers for a minute, and looks at the memory each second. */
async function runMinute(minute: number): Promise<string[]> {
  const endMs = performance.now() + minuteMs;
  const before = delivered;
  const rssMb: number[] = [];
  let lookAtMs = 0;
  while (performance.now() < endMs) {
    if (queued - delivered < aheadMax) {
      await Promise.all(Array.from({ length: groupEntries }, () => delivery.append(makeEntry())));
      queued += groupEntries;
    } else await sleep(5);
    if (performance.now() < lookAtMs) continue;
    rssMb.push(process.memoryUsage.rss() / 1e6);
    lookAtMs = performance.now() + 1_000;
  }
  const perSecond = (delivered - before) / (minuteMs / 1_000);
  const diskMb = readdirSync(folder).reduce((sum, file) => sum + statSync(path.join(folder, file)).size, 0) / 1e6;
  process.stderr.write(`minute ${String(minute)}\n`);
  return [String(minute), ...[perSecond, Math.min(...rssMb), Math.max(...rssMb), diskMb].map((n) => n.toFixed(0))];
}
