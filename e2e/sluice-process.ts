import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

/** How to start a server. */
export type SluiceOptions = {
  /** The content of its config.yaml. */
  config?: Record<string, unknown>;
  /** More environment variables, over the defaults below. */
  env?: Record<string, string>;
  /** A data directory to go on with; without it a new one, which goes when the server is disposed of. */
  dataDir?: string;
  /** On the embedded database, whatever `DATABASE_URL` says. */
  isEmbedded?: true;
  /** A database to share with other servers, which outlives this one; without it each has one of its own. */
  databaseUrl?: string;
};

/** How a process ended. */
export type Ending = { code: number | null; signal: NodeJS.Signals | null };

/** A server of one's own: a process with its data directory, its port and, on PostgreSQL, its database. */
export type SluiceProcess = {
  url: string;
  masterKey: string;
  dataDir: string;
  /** All that it has printed, restarts included. */
  logs(): string;
  /** How the process ended; null while it runs. */
  ended(): Ending | null;
  /** SIGTERM, or another signal; resolves when it has ended in its own time. */
  stop(signal?: NodeJS.Signals): Promise<Ending>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<Ending>;
  /** Sends a signal and waits for nothing: SIGSTOP holds it, SIGCONT lets it go on. */
  signal(signal: NodeJS.Signals): void;
  /** Stops it if it still runs, and starts it again with the same data, address and keys, and with other settings. */
  restart(otherEnv?: Record<string, string>): Promise<void>;
  /** Kills it if it still runs, and removes what it left. */
  dispose(): Promise<void>;
};

const repositoryRoot = join(import.meta.dirname, "..");
const readyTimeoutMs = 60_000;
const stopTimeoutMs = 60_000;

/** What the server gets of our environment: enough to run, and none of the product's own settings. */
const inheritedNames = ["HOME", "LANG", "PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "TZ"];

/**
 * Starts `src/server.ts` and resolves once `/health/readiness` answers 200; throws with what it printed where it ends
 * or stays silent. With `DATABASE_URL` set, each server gets a new database on that PostgreSQL.
 */
export async function startSluiceProcess(options: SluiceOptions = {}): Promise<SluiceProcess> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-e2e-"));
  const dataDir = options.dataDir ?? join(folder, "data");
  await mkdir(dataDir, { recursive: true });
  const configPath = join(folder, "config.yaml");
  // JSON is YAML.
  await writeFile(configPath, JSON.stringify(options.config ?? {}));
  const masterKey = options.env?.SLUICE_MASTER_KEY ?? `sk-${randomBytes(16).toString("hex")}`;
  const port = await findFreePort();
  const shared = options.databaseUrl === undefined ? null : { url: options.databaseUrl, drop: async () => undefined };
  const server = options.isEmbedded ? undefined : (options.env?.DATABASE_URL ?? process.env.DATABASE_URL);
  const database = shared ?? (await makeDatabase(server));
  const env = {
    ...inheritedEnv(),
    NEXT_TELEMETRY_DISABLED: "1",
    NODE_ENV: "production",
    PORT: String(port),
    SLUICE_CONFIG: configPath,
    SLUICE_DATA_DIR: dataDir,
    SLUICE_ENCRYPTION_KEY: randomBytes(32).toString("hex"),
    SLUICE_MASTER_KEY: masterKey,
    // No load balancer has to notice that it stops.
    SLUICE_DRAIN_SECONDS: "0",
    // The fakes live there.
    SLUICE_PRIVATE_DESTINATION_HOSTS: "127.0.0.1",
    ...options.env,
    ...(database === null ? {} : { DATABASE_URL: database.url }),
  };
  const runner = makeRunner(env, `http://127.0.0.1:${port}`);
  async function dispose(): Promise<void> {
    await runner.end("SIGKILL");
    await database?.drop();
    await rm(folder, { recursive: true, force: true });
  }
  try {
    await runner.start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    url: `http://127.0.0.1:${port}`,
    masterKey,
    dataDir,
    logs: runner.logs,
    ended: runner.ended,
    stop: (signal = "SIGTERM") => runner.end(signal),
    kill: () => runner.end("SIGKILL"),
    signal: runner.signal,
    async restart(otherEnv = {}) {
      Object.assign(env, otherEnv);
      await runner.end("SIGTERM");
      await runner.start();
    },
    dispose,
  };
}

/** A test run that breaks off leaves no server behind. */
const running = new Set<ChildProcess>();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

type Runner = {
  start(): Promise<void>;
  end(signal: NodeJS.Signals): Promise<Ending>;
  signal(signal: NodeJS.Signals): void;
  logs(): string;
  ended(): Ending | null;
};

function makeRunner(env: Record<string, string>, url: string): Runner {
  let printed = "";
  let child: ChildProcess | null = null;

  async function start(): Promise<void> {
    const started = spawn(process.execPath, ["src/server.ts"], {
      cwd: repositoryRoot,
      env: { ...env, NODE_ENV: "production" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = started;
    running.add(started);
    started.once("exit", () => running.delete(started));
    const keep = (chunk: Buffer) => void (printed += chunk.toString("utf8"));
    started.stdout.on("data", keep);
    started.stderr.on("data", keep);
    const fault = await waitUntilReady(started, url);
    if (fault === null) return;
    await end("SIGKILL");
    throw new Error(`${fault} It printed:\n${printed.slice(-10_000)}`);
  }

  async function end(signal: NodeJS.Signals): Promise<Ending> {
    const ending = child;
    if (ending === null) return { code: null, signal: null };
    if (!hasEnded(ending)) {
      const exited = once(ending, "exit", { signal: AbortSignal.timeout(stopTimeoutMs) });
      ending.kill(signal);
      await exited.catch((cause: unknown) => {
        ending.kill("SIGKILL");
        throw new Error(`The server did not end on ${signal}. It printed:\n${printed.slice(-10_000)}`, { cause });
      });
    }
    return { code: ending.exitCode, signal: ending.signalCode };
  }

  function ended(): Ending | null {
    return child !== null && hasEnded(child) ? { code: child.exitCode, signal: child.signalCode } : null;
  }

  return { start, end, signal: (signal) => void child?.kill(signal), logs: () => printed, ended };
}

/** Null once it is ready, else why it never will be. */
async function waitUntilReady(child: ChildProcess, url: string): Promise<string | null> {
  const endMs = performance.now() + readyTimeoutMs;
  while (performance.now() < endMs) {
    if (hasEnded(child)) return `The server ended with ${child.exitCode ?? child.signalCode ?? "nothing"}.`;
    const answer = await fetch(`${url}/health/readiness`).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.status === 200) return null;
    await sleep(50);
  }
  return "The server did not become ready in time.";
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

function inheritedEnv(): Record<string, string> {
  const entries = inheritedNames.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
}

/** A port that is free now. */
export async function findFreePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === "string") throw new Error("The probe has no TCP port.");
  return address.port;
}

/** A new, empty database on the PostgreSQL at `url`; null without one. */
export async function makeDatabase(url: string | undefined): Promise<{ url: string; drop(): Promise<void> } | null> {
  if (url === undefined) return null;
  const name = `sluice_${randomUUID().replaceAll("-", "")}`;
  await runSql(url, `CREATE DATABASE ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return { url: own.href, drop: () => runSql(url, `DROP DATABASE ${name} WITH (FORCE)`) };
}

/** Runs one statement. */
export async function runSql(url: string, sql: string): Promise<void> {
  await readRows(url, sql);
}

/** Runs one statement and gives its rows. */
export async function readRows(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
