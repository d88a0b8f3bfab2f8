import { randomBytes } from "node:crypto";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { startPgbouncer } from "../../scripts/pgbouncer.mjs";
import { startPostgres } from "../../scripts/postgres.mjs";
import { startFakeAnthropic } from "../fakes/anthropic.ts";
import { startFakeOpenai } from "../fakes/openai.ts";
import { makeKey, mustAdmin } from "../rest/admin.ts";
import { makeDatabase, startSluiceProcess, type SluiceProcess } from "../sluice-process.ts";
import { startLangfuseSink, startWebhookSink, type Sink } from "./arrivals.ts";
import type { Ledger } from "./ledger.ts";

/** Everything that a chaos run starts: upstreams, destinations, gateways, and the teams and keys on them. */

export type DatabaseKind = "embedded" | "postgres";

/** A gateway, and what is broken under it. */
export type Gateway = {
  index: number;
  sluice: SluiceProcess;
  /** The way to its database; null if that is embedded. */
  databaseUrl: string | null;
  setDiskFull(isFull: boolean): void;
  /** True from the moment when it is told to end until it is ready again. */
  isDown: boolean;
};

/** A key that clients use. */
export type ChaosKey = {
  name: string;
  key: string;
  team: string | null;
  user: string | null;
  /** Where its logs go by its own entry, whatever its team says. */
  ownDestination: string | null;
  maxParallel: number | null;
};

export type World = {
  database: DatabaseKind;
  gateways: Gateway[];
  sinks: Record<string, Sink>;
  keys: ChaosKey[];
  postgres: Awaited<ReturnType<typeof startPostgres>> | null;
  /** Where its tables are; null if they are embedded. */
  databaseUrl: string | null;
  /** What must be in no log of ours. */
  secrets: string[];
  close(): Promise<void>;
};

/** What a team without a destination of its own logs to. */
export const globalDestination = "files";

const hook = pathToFileURL(join(import.meta.dirname, "..", "own-faults.mjs")).href;
const upstreamKeys = { openai: "sk-chaos-upstream-openai-0123456789", anthropic: "sk-ant-chaos-upstream-0123456789" };

/** Starts it all. `embedded`: one gateway with a local queue. `postgres`: two with a shared one, one behind a pooler. */
export async function startWorld(database: DatabaseKind, ledger: Ledger): Promise<World> {
  const closers: (() => Promise<void> | void)[] = [];
  async function close(): Promise<void> {
    for (const closer of closers.toReversed()) await closer();
  }
  try {
    const openai = await startFakeOpenai({ apiKey: upstreamKeys.openai, slowMs: 150 });
    const anthropic = await startFakeAnthropic({ slowMs: 150 });
    // The fakes remember every call, which nobody asks for here.
    const forget = setInterval(() => void (openai.calls.length = anthropic.calls.length = 0), 1_000);
    closers.push(() => clearInterval(forget), openai.close, anthropic.close);
    const sinks = await startSinks(ledger);
    for (const sink of Object.values(sinks)) closers.push(sink.close);
    const storage = database === "postgres" ? await startStorage(closers) : null;
    const config = toConfig(openai.baseUrl, anthropic.url);
    const env = {
      SLUICE_MASTER_KEY: `sk-${randomBytes(16).toString("hex")}`,
      SLUICE_ENCRYPTION_KEY: randomBytes(32).toString("hex"),
      // Shorter than many streams of the traffic.
      SLUICE_SHUTDOWN_SECONDS: "3",
      SLUICE_DRAIN_SECONDS: "0.5",
    };
    const gateways: Gateway[] = [];
    for (const [index, databaseUrl] of (storage?.urls ?? [null]).entries()) {
      const gateway = await startGateway(index, { config, env, databaseUrl });
      gateways.push(gateway);
      closers.push(gateway.sluice.dispose);
    }
    const { keys, secrets } = await makeTeams(gateways, sinks);
    return {
      ...{ database, gateways, sinks, keys, close },
      postgres: storage?.postgres ?? null,
      databaseUrl: storage?.directUrl ?? null,
      secrets: [
        ...[env.SLUICE_MASTER_KEY, env.SLUICE_ENCRYPTION_KEY, ...Object.values(upstreamKeys), ...secrets],
        ...Object.values(sinks).flatMap((sink) => sink.secrets),
      ],
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startSinks({ nowMs }: Ledger): Promise<Record<string, Sink>> {
  const webhooks = ["steady", "switched", "moved-1", "moved-2", "of-a-key"];
  const sinks = await Promise.all([
    startLangfuseSink("langfuse", nowMs),
    ...webhooks.map((name) => startWebhookSink(name, nowMs)),
  ]);
  return Object.fromEntries(sinks.map((sink) => [sink.name, sink]));
}

async function startStorage(closers: (() => Promise<void> | void)[]) {
  const postgres = await startPostgres();
  closers.push(postgres.stop);
  const own = await makeDatabase(postgres.url);
  if (own === null) throw new Error("A PostgreSQL was started.");
  const pooler = await startPgbouncer(own.url);
  closers.push(pooler.stop);
  return { postgres, directUrl: own.url, urls: [own.url, pooler.url] };
}

function toConfig(openaiUrl: string, anthropicUrl: string): Record<string, unknown> {
  const prices = { input_cost_per_token: 0.00001, output_cost_per_token: 0.00002, timeout: 15, stream_timeout: 15 };
  const openai = { model: "openai/fake-model", api_base: openaiUrl, api_key: upstreamKeys.openai, ...prices };
  const claude = { model: "anthropic/claude-fake", api_base: anthropicUrl, api_key: upstreamKeys.anthropic, ...prices };
  return {
    model_list: [
      { model_name: "fake-model", litellm_params: openai },
      { model_name: "claude-fake", litellm_params: claude },
    ],
    litellm_settings: { callbacks: ["local_files"] },
    general_settings: { delivery: { retry_min_seconds: 0.2, retry_max_seconds: 1 } },
  };
}

type GatewayStart = { config: Record<string, unknown>; env: Record<string, string>; databaseUrl: string | null };

async function startGateway(index: number, { config, env, databaseUrl }: GatewayStart): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-chaos-"));
  const file = join(folder, "faults.json");
  function setDiskFull(isDiskFull: boolean): void {
    writeFileSync(`${file}.new`, JSON.stringify({ isDiskFull }));
    renameSync(`${file}.new`, file);
  }
  setDiskFull(false);
  const sluice = await startSluiceProcess({
    config,
    env: { ...env, NODE_OPTIONS: `--trace-warnings --import ${hook}`, SLUICE_TEST_FAULTS: file },
    ...(databaseUrl === null ? {} : { databaseUrl }),
  });
  const dispose = () => sluice.dispose().finally(() => rmSync(folder, { recursive: true, force: true }));
  return { index, sluice: { ...sluice, dispose }, databaseUrl, setDiskFull, isDown: false };
}

/** Where each team's logs go when the run begins. Keys without a team go to the global destination. */
export const teams: Record<string, string> = {
  plain: "langfuse",
  steady: "steady",
  switched: "switched",
  moved: "moved-1",
};

async function makeTeams(
  gateways: readonly Gateway[],
  sinks: Record<string, Sink>,
): Promise<{ keys: ChaosKey[]; secrets: string[] }> {
  const [first] = gateways;
  if (!first) throw new Error("There is no gateway.");
  const { sluice } = first;
  for (const [team_id, destination] of Object.entries(teams)) {
    // A budget that nobody reaches: its calls are held back and settled all the same.
    await mustAdmin(sluice, "/team/new", { team_id, ...(team_id === "steady" ? { max_budget: 10_000 } : {}) });
    await mustAdmin(sluice, `/team/${team_id}/callback`, sinks[destination]?.callback);
  }
  for (const user of ["user-1", "user-2"]) {
    const budget = user === "user-2" ? { max_budget: 10_000 } : {};
    await mustAdmin(sluice, "/user/new", { user_id: user, auto_create_key: false, ...budget });
  }
  const keys: ChaosKey[] = [];
  async function add(name: string, team: string | null, fields: Record<string, unknown> = {}): Promise<void> {
    const key = await makeKey(sluice, { ...(team === null ? {} : { team_id: team }), ...fields });
    const user = typeof fields["user_id"] === "string" ? fields["user_id"] : null;
    const maxParallel = Number(fields["max_parallel_requests"] ?? 0) || null;
    const ownDestination = "metadata" in fields ? "of-a-key" : null;
    keys.push({ name, key, team, user, ownDestination, maxParallel });
  }
  await add("plain", "plain");
  await add("plain-parallel", "plain", { max_parallel_requests: 3, user_id: "user-1" });
  await add("plain-small-budget", "plain", { max_budget: 0.02 });
  await add("plain-own", "plain", { metadata: { logging: [sinks["of-a-key"]?.callback] } });
  await add("steady", "steady", { user_id: "user-2" });
  await add("steady-rpm", "steady", { rpm_limit: 120 });
  await add("steady-blocked", "steady", { max_budget: 10_000 });
  await add("switched", "switched");
  await add("switched-parallel", "switched", { max_parallel_requests: 2, max_budget: 10_000 });
  await add("switched-own", "switched", { metadata: { logging: [sinks["of-a-key"]?.callback] } });
  await add("moved", "moved");
  await add("nobodys", null, { user_id: "user-1", max_parallel_requests: 4 });
  await add("nobodys-own", null, { metadata: { logging: [sinks["of-a-key"]?.callback] } });
  return { keys, secrets: keys.map(({ key }) => key) };
}

/**
 * Sends a management request to one gateway after another until one of them says that it is done, or that an earlier
 * try did it whose answer was lost.
 */
export async function manage(
  { gateways }: World,
  { method = "POST", path, body, isDone }: ManagementRequest,
): Promise<"confirmed" | "done before"> {
  const endMs = performance.now() + 120_000;
  let answer = "none";
  for (let turn = 0; performance.now() < endMs; turn += 1) {
    const gateway = gateways[turn % gateways.length];
    if (gateway?.isDown === false) {
      const { sluice } = gateway;
      try {
        const response = await fetch(`${sluice.url}${path}`, {
          method,
          headers: { authorization: `Bearer ${sluice.masterKey}`, "content-type": "application/json" },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(40_000),
        });
        const text = await response.text();
        answer = `${String(response.status)} ${text}`;
        if (response.status === 200) return "confirmed";
        if (isDone?.(response.status, text) === true) return "done before";
      } catch (error) {
        answer = String(error);
      }
    }
    await sleep(150);
  }
  throw new Error(`${path} was not done in two minutes; the last answer was: ${answer}`);
}

/** `isDone`: an answer that says that an earlier try, whose answer was lost, did it. */
export type ManagementRequest = {
  method?: string;
  path: string;
  body?: object;
  isDone?: (status: number, text: string) => boolean;
};
