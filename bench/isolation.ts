import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { answersOk, freePort, startChild, startServer, waitFor } from "./child.ts";
import { runLoad } from "./load.ts";
import { whole } from "./loads.ts";
import { measureGroup, median, quantile } from "./measure.ts";
import { positive } from "./positive.ts";
import { startRecordSink, type RecordSink, type SinkKind } from "./record-sink.ts";

/**
 * What a destination that misbehaves costs: one team's calls with logging off and to a destination that is fast, takes
 * 5 s, hangs, is down or refuses, each in a fresh gateway, and beside them another team whose logs go to a fast one.
 * Prints one Markdown table. With `DATABASE_URL` the queue is in that PostgreSQL, which must be empty.
 * Options: `--requests 6000 --warmup 3000 --concurrency 16 --rounds 2 --only fast,hung`.
 */

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "6000" },
    warmup: { type: "string", default: "3000" },
    concurrency: { type: "string", default: "16" },
    rounds: { type: "string", default: "2" },
    only: { type: "string" },
  },
});
const requests = positive("requests", values.requests);
const warmup = positive("warmup", values.warmup);
const concurrency = positive("concurrency", values.concurrency);
const rounds = positive("rounds", values.rounds);

const conditions = ["off", "fast", "slow", "hung", "down", "refusing"] as const;
type Condition = (typeof conditions)[number];
const labels = {
  off: "logging off",
  fast: "fast",
  slow: "answers after 5 s",
  hung: "hangs",
  down: "down",
  refusing: "refuses (401)",
} as const;
const chosen = conditions.filter((name) => values.only === undefined || values.only.split(",").includes(name));

type Result = {
  perSecond: number;
  latenciesMs: number[];
  lagsMs: number[];
  lost: number;
  failed: number;
  rssMb: number;
};

const GeneratedKey = z.object({ key: z.string() });
const masterKey = "sk-benchmark-master-key-0123456789";
const root = path.resolve(import.meta.dirname, "..");
let teams = 0;
const probeEveryMs = 100;
const patienceMs = 20_000;

const upstream = await startServer(path.join(import.meta.dirname, "mock-upstream.ts"));
const results = new Map<Condition, Result[]>();
try {
  for (let round = 1; round <= rounds; round += 1) {
    for (const condition of chosen) {
      process.stderr.write(`round ${String(round)}: ${condition}\n`);
      results.set(condition, [...(results.get(condition) ?? []), await measure(condition)]);
    }
  }
} finally {
  await upstream.stop();
}
process.stdout.write(toTable());

async function measure(condition: Condition): Promise<Result> {
  const sink = await startRecordSink();
  const gateway = await startGateway();
  try {
    const loaded = await makeTeam(gateway.url, condition === "off" ? null : await targetOf(sink, condition));
    const other = await makeTeam(gateway.url, sink.url("fast"));
    const plan = { url: gateway.url, load: whole, concurrency };
    const headers = { authorization: `Bearer ${loaded}` };
    await runLoad({ ...plan, headers, requests: warmup, callIdPrefix: "warm" });
    const probes = startProbes(gateway.url, other);
    const load = await runLoad({ ...plan, headers, requests, callIdPrefix: "run" });
    const answered = await probes.stop();
    const lagsMs = await waitForArrivals(sink, answered);
    return {
      perSecond: load.answered.length / load.seconds,
      latenciesMs: load.latenciesMs,
      lagsMs,
      lost: answered.size - lagsMs.length,
      failed: load.failed,
      rssMb: measureGroup(gateway.pid).rssBytes / 1e6,
    };
  } finally {
    await gateway.stop();
    await sink.stop();
  }
}

async function targetOf(sink: RecordSink, condition: SinkKind | "down"): Promise<string> {
  return condition === "down" ? `http://127.0.0.1:${String(await freePort())}/` : sink.url(condition);
}

async function startGateway() {
  const folder = await mkdtemp(path.join(tmpdir(), "sluice-bench-"));
  const config = path.join(folder, "config.yaml");
  const params = { model: "openai/mock", api_base: `${upstream.url}/v1`, api_key: "x" };
  await writeFile(config, JSON.stringify({ model_list: [{ model_name: "mock", litellm_params: params }] }));
  const port = await freePort();
  const child = startChild([path.join(root, "src/server.ts"), "--config", config], {
    PORT: String(port),
    SLUICE_DATA_DIR: path.join(folder, "data"),
    SLUICE_MASTER_KEY: masterKey,
    SLUICE_ENCRYPTION_KEY: "encryption key of the benchmark",
    SLUICE_PRIVATE_DESTINATION_HOSTS: "127.0.0.1",
    SLUICE_DRAIN_SECONDS: "0",
    ...(process.env.DATABASE_URL ? { DATABASE_URL: process.env.DATABASE_URL } : {}),
  });
  const url = `http://127.0.0.1:${String(port)}`;
  await waitFor(child, () => answersOk(`${url}/health/readiness`), 120_000);
  const stop = async () => {
    await child.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { url, pid: child.pid, stop };
}

/** A team that logs to a webhook, or nowhere, and a key of it. */
async function makeTeam(url: string, webhookUrl: string | null): Promise<string> {
  teams += 1;
  const teamId = `bench-${String(process.pid)}-${String(teams)}`;
  await admin(url, "/team/new", { team_id: teamId });
  if (webhookUrl === null) await admin(url, `/team/${teamId}/disable_logging`, {});
  else {
    const callback = { callback_name: "webhook", callback_vars: { webhook_url: webhookUrl } };
    await admin(url, `/team/${teamId}/callback`, callback);
  }
  return GeneratedKey.parse(await admin(url, "/key/generate", { team_id: teamId })).key;
}

async function admin(url: string, path: string, body: object): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${masterKey}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (response.status !== 200) throw new Error(`${path} answered ${String(response.status)}: ${await response.text()}`);
  return response.json();
}

/** The other team's calls, a few each second, and when each of them was answered. */
function startProbes(url: string, key: string): { stop(): Promise<Map<string, number>> } {
  const answered = new Map<string, number>();
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ model: "mock", messages: [{ role: "user", content: "a probe" }] }),
      });
      await response.arrayBuffer();
      const id = response.headers.get("x-litellm-call-id");
      if (response.status === 200 && id !== null) answered.set(id, performance.now());
      await sleep(probeEveryMs);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await running;
      return answered;
    },
  };
}

/** From each answer to its arrival, in milliseconds; what has not arrived in time is missing. */
async function waitForArrivals(sink: RecordSink, answered: ReadonlyMap<string, number>): Promise<number[]> {
  const endMs = performance.now() + patienceMs;
  while (performance.now() < endMs && [...answered.keys()].some((id) => !sink.arrivedAt.has(id))) await sleep(50);
  return [...answered].flatMap(([id, atMs]) => {
    const arrivedMs = sink.arrivedAt.get(id);
    return arrivedMs === undefined ? [] : [Math.max(0, arrivedMs - atMs)];
  });
}

function toTable(): string {
  const header = [
    "destination of the team's logs",
    "calls/s",
    "p50 ms",
    "p99 ms",
    "calls/s against fast",
    "other team's lag p50 ms",
    "p99 ms",
    "its records lost",
    "calls failed",
    "RSS MB",
  ];
  const fast = median((results.get("fast") ?? []).map(({ perSecond }) => perSecond));
  const lines = chosen.map((condition) => {
    const cells = results.get(condition) ?? [];
    const latencies = cells.flatMap(({ latenciesMs }) => latenciesMs).toSorted((left, right) => left - right);
    const lags = cells.flatMap(({ lagsMs }) => lagsMs).toSorted((left, right) => left - right);
    const perSecond = median(cells.map((cell) => cell.perSecond));
    return [
      labels[condition],
      perSecond.toFixed(0),
      quantile(latencies, 0.5).toFixed(1),
      quantile(latencies, 0.99).toFixed(1),
      fast > 0 ? `${((perSecond / fast) * 100).toFixed(0)} %` : "–",
      quantile(lags, 0.5).toFixed(0),
      quantile(lags, 0.99).toFixed(0),
      String(cells.reduce((sum, { lost }) => sum + lost, 0)),
      String(cells.reduce((sum, { failed }) => sum + failed, 0)),
      median(cells.map(({ rssMb }) => rssMb)).toFixed(0),
    ];
  });
  const rule = header.map((_, index) => (index === 0 ? "---" : "---:"));
  return [header, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}
