import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startPostgres } from "../scripts/postgres.mjs";
import { closeUpstreams, fetchUpstream, readBody } from "#lib/fetch-upstream.ts";
import { migrate } from "#lib/migrate.ts";
import { makeKeyring } from "#lib/seal.ts";
import { openDatabaseQueue } from "#logging/queue/database.ts";
import { openLocalQueue } from "#logging/queue/local.ts";
import type { Queue } from "#logging/queue/queue.ts";
import pg from "pg";
import { z } from "zod";
import { callbackId, countRecords, makeEntry, masterKey, startWorker } from "./delivery-worker.ts";
import { median } from "./measure.ts";
import { positive } from "./positive.ts";
import { startRecordSink } from "./record-sink.ts";

/**
 * How fast one delivery thread empties its queue of 4 kB records into a local sink, with a short queue and with a long
 * one, on both engines, beside two bare loops that post the very same bytes: one record after the other, and in the
 * requests of up to a hundred records that the thread made. The rows that make the queue long lie behind those that are
 * measured. Prints one Markdown table.
 * Options: `--records 10000 --long 1000000 --rounds 3 --engines local,database`.
 */

const { values } = parseArgs({
  options: {
    records: { type: "string", default: "10000" },
    long: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "3" },
    engines: { type: "string", default: "local,database" },
  },
});
const records = positive("records", values.records);
const long = positive("long", values.long);
const rounds = positive("rounds", values.rounds);
const hourMs = 3_600_000;
const appendAtOnce = 500;

const sink = await startRecordSink();
sink.setReading(false);
const folder = mkdtempSync(path.join(tmpdir(), "sluice-bench-"));
const rows: string[][] = [];
const postgres = values.engines.includes("database") ? await startPostgres() : null;
try {
  for (const engine of values.engines.split(",")) {
    for (const depth of [records, long]) {
      const rates: Rates[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        process.stderr.write(`${engine}, ${String(depth)} queued, round ${String(round)}\n`);
        rates.push(await measure(engine, depth));
      }
      const of = (name: keyof Rates, figure: keyof Rate) => median(rates.map((rate) => rate[name][figure]));
      const figures = (["delivery", "single", "batched"] as const).flatMap((name) => [
        of(name, "perSecond"),
        of(name, "cpuUs"),
      ]);
      rows.push([engine, String(depth), ...figures.map((figure) => figure.toFixed(0))]);
    }
  }
} finally {
  await sink.stop();
  await closeUpstreams();
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
}
const header = ["queue", "records queued", "delivered/s", "CPU µs each"];
header.push("loop, a record a request: records/s", "CPU µs each", "loop, same requests: records/s", "CPU µs each");
const rule = ["---", ...header.slice(1).map(() => "---:")];
process.stdout.write([header, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join(""));

/** Queues the records, delivers them with the gateway's own thread, and posts the same bytes in a bare loop. */
async function measure(engine: string, depth: number): Promise<Rates> {
  const home = mkdtempSync(path.join(folder, "queue-"));
  const queuePath = path.join(home, "records.sqlite");
  const databaseUrl = engine === "database" ? await makeDatabase() : null;
  await fill({ queuePath, databaseUrl, depth });
  const bodies: Buffer[] = [];
  let counted = 0;
  let first = now();
  let last = first;
  sink.onBatch((body) => {
    last = now();
    // The first batch only starts the clock: what it took to be read is not known.
    if (bodies.length === 0) first = last;
    else counted += countRecords(body);
    bodies.push(body);
  });
  const delivery = await startWorker({ queuePath, queueDatabaseUrl: databaseUrl }, sink.url("fast"));
  const endMs = performance.now() + 120_000;
  const inFirst = (): number => countRecords(bodies[0] ?? Buffer.alloc(0));
  while (performance.now() < endMs && inFirst() + counted < records) await sleep(20);
  const perSecond = counted / ((last.ms - first.ms) / 1000);
  const cpuUs = (last.cpuUs - first.cpuUs) / counted;
  await delivery.stop(0);
  sink.onBatch(() => undefined);
  const single = await runLoop(bodies.flatMap(toSingles));
  const batched = await runLoop(bodies);
  rmSync(home, { recursive: true, force: true });
  return { delivery: { perSecond, cpuUs }, single, batched };
}

/** Requests of one record each that hold the same bytes as a request of many. */
function toSingles(body: Buffer): Buffer[] {
  return z
    .array(z.unknown())
    .parse(JSON.parse(body.toString()))
    .map((record) => Buffer.from(JSON.stringify([record])));
}

/** What the delivery thread does, and what the bare loops do with a record a request and with its own requests. */
type Rates = { delivery: Rate; single: Rate; batched: Rate };

/** A rate, and what one record of it cost this process: both ends, the sink included. */
type Rate = { perSecond: number; cpuUs: number };

function now(): { ms: number; cpuUs: number } {
  const { user, system } = process.cpuUsage();
  return { ms: performance.now(), cpuUs: user + system };
}

/** Posts ready-made requests one after the other and says how many records a second that is. */
async function runLoop(bodies: readonly Buffer[]): Promise<Rate> {
  let posted = 0;
  const started = now();
  for (const body of bodies) {
    const headers = { "content-type": "application/json" };
    const options = { method: "POST", headers, body, reach: "operator" } as const;
    await readBody(await fetchUpstream(sink.url("fast"), options), 1_000);
    posted += countRecords(body);
  }
  const ended = now();
  return { perSecond: posted / ((ended.ms - started.ms) / 1000), cpuUs: (ended.cpuUs - started.cpuUs) / posted };
}

async function makeDatabase(): Promise<string> {
  if (postgres === null) throw new Error("There is no PostgreSQL.");
  const url = new URL(postgres.url);
  url.pathname = `/bench_${String(Date.now())}`;
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(`CREATE DATABASE ${url.pathname.slice(1)}`);
  await client.end();
  await migrate({ connectionString: url.href });
  return url.href;
}

/** The measured records first, then rows that only make the queue long: they are due in an hour. */
async function fill(place: { queuePath: string; databaseUrl: string | null; depth: number }): Promise<void> {
  const keyring = makeKeyring([masterKey]);
  const { queuePath, databaseUrl, depth } = place;
  const queue: Queue =
    databaseUrl === null
      ? openLocalQueue({ path: queuePath, keyring })
      : openDatabaseQueue({ connection: { connectionString: databaseUrl }, keyring });
  for (let at = 0; at < records; at += appendAtOnce) {
    await queue.append(Array.from({ length: Math.min(appendAtOnce, records - at) }, makeEntry));
  }
  await queue.close();
  const more = depth - records;
  if (more <= 0) return;
  if (databaseUrl === null) lengthenFile(queuePath, more);
  else await lengthenDatabase(databaseUrl, more);
}

function lengthenFile(file: string, count: number): void {
  const db = new DatabaseSync(file);
  db.exec(`
    PRAGMA synchronous = OFF; BEGIN;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${String(count)})
    INSERT INTO delivery (record_id, callback, state, content_id, due_at_ms, tries, created_at_ms, team_id)
      SELECT 'waiting-' || i, 1, 0, 10000000 + i, ${String(Date.now() + hourMs)}, 0, ${String(Date.now())}, 'bench' FROM n;
    INSERT INTO content (content_id, number, sealed) SELECT content_id, 0, zeroblob(200) FROM delivery WHERE record_id >= 'waiting';
    UPDATE callback SET pending = pending + ${String(count)};
    COMMIT;
  `);
  db.close();
}

async function lengthenDatabase(url: string, count: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const nowMs = Date.now();
  await client.query(
    `WITH added AS (
       INSERT INTO queue_delivery (record_id, callback_id, state, content_id, bytes, due_at_ms, tries, created_at_ms, age_from_ms, team_id)
         SELECT 'waiting-' || i, $1, 0, 1000000000 + i, 200, $2::bigint, 0, $3::bigint, $3::bigint, 'bench' FROM generate_series(1, $4::int) AS i
         RETURNING content_id)
     INSERT INTO queue_content (content_id, number, shared, sealed) SELECT content_id, 0, false, decode(repeat('00', 200), 'hex') FROM added`,
    [callbackId, nowMs + hourMs, nowMs, count],
  );
  await client.query(
    "UPDATE queue_count SET pending = pending + $1 WHERE callback_id = $2 AND slot = (SELECT min(slot) FROM queue_count WHERE callback_id = $2)",
    [count, callbackId],
  );
  await client.query("ANALYZE queue_delivery");
  await client.end();
}
