import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { startPostgres } from "../scripts/postgres.mjs";
import { answersOk, freePort, startChild, startServer, waitFor } from "./child.ts";
import type { Child } from "./child.ts";

/** The systems under test, side by side: how each is started and what a request to it looks like. */

/** The processes around the system under test. */
export type Surroundings = { upstreamUrl: string; langfuseUrl: string; databaseUrl?: string };

/** A started system; `databasePid`: the PostgreSQL that it has for itself. */
export type RunningSystem = {
  url: string;
  headers: Record<string, string>;
  child: Child;
  databasePid?: number | undefined;
  stop(): Promise<void>;
};

/** One row of the table. */
export type System = {
  name: string;
  label: string;
  /** True where each answered request must arrive at Langfuse. */
  logs: boolean;
  /** True where it is only measured if `--only` names it. */
  isExtra?: boolean;
  /** Why it cannot run here; null where it can. */
  obstacle(): string | null;
  start(surroundings: Surroundings): Promise<RunningSystem>;
};

/** The Langfuse project that the fake's command line offers. */
export const langfuseProject = { id: "project-1", publicKey: "pk-lf-project-1", secretKey: "sk-lf-project-1" };

const root = path.resolve(import.meta.dirname, "..");
const sluiceFile = path.join(root, "src/server.ts");
const portkeyFile = path.join(root, "node_modules/@portkey-ai/gateway/build/start-server.js");
const shimUrl = new URL("portkey-shim.ts", import.meta.url).href;
const masterKey = "sk-benchmark-master-key-0123456789";
/** A gateway on a shared database makes none of its own. */
const ownKey = { SLUICE_ENCRYPTION_KEY: "encryption-key-of-the-benchmark-0" };

/** All rows, in the order of the table. */
export const systems: readonly System[] = [
  {
    name: "pass-through",
    label: "bare `node:http` pass-through",
    logs: false,
    obstacle: () => null,
    async start({ upstreamUrl }) {
      const child = await startServer(path.join(root, "bench/pass-through.ts"), { UPSTREAM_URL: upstreamUrl });
      return { url: child.url, headers: {}, child, stop: child.stop };
    },
  },
  sluice("sluice", "Sluice, logging off", false),
  sluice("sluice-langfuse", "Sluice, logging to Langfuse", true),
  withPostgres(sluice("sluice-database", "Sluice, logging to Langfuse, queue in PostgreSQL", true)),
  {
    name: "portkey",
    label: "Portkey gateway, no logging",
    logs: false,
    obstacle: () => missing(portkeyFile),
    async start({ upstreamUrl }) {
      const port = await freePort();
      const child = startChild(["--import", shimUrl, portkeyFile, `--port=${String(port)}`, "--headless"], {});
      const url = `http://127.0.0.1:${String(port)}`;
      await waitFor(child, () => answersOk(`${url}/`));
      const headers = {
        authorization: "Bearer x",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": `${upstreamUrl}/v1`,
      };
      return { url, headers, child, stop: child.stop };
    },
  },
];

/**
 * The systems of these names, all where none are given; throws where a name is unknown. What cannot run here is left
 * out, and standard error says why.
 */
export function chooseSystems(names: string[] | undefined): System[] {
  const unknown = names?.filter((name) => !systems.some((system) => system.name === name)) ?? [];
  if (unknown.length > 0) {
    throw new Error(`--only knows ${systems.map((system) => system.name).join(", ")}; not ${unknown.join(", ")}.`);
  }
  return systems.filter((system) => {
    if (names ? !names.includes(system.name) : system.isExtra === true) return false;
    const obstacle = system.obstacle();
    if (obstacle !== null) process.stderr.write(`NOT MEASURED: ${system.label} (${obstacle})\n`);
    return obstacle === null;
  });
}

/** The system with a PostgreSQL of its own for all that it stores. */
function withPostgres(system: System): System {
  return {
    ...system,
    isExtra: true,
    async start(surroundings) {
      const postgres = await startPostgres();
      try {
        const running = await system.start({ ...surroundings, databaseUrl: postgres.url });
        const stop = () => running.stop().finally(() => postgres.stop());
        return { ...running, databasePid: postgres.pid, stop };
      } catch (error) {
        await postgres.stop();
        throw error;
      }
    },
  };
}

function sluice(name: string, label: string, logs: boolean): System {
  return {
    name,
    label,
    logs,
    obstacle: () => missing(sluiceFile),
    async start(surroundings) {
      const folder = await mkdtemp(path.join(tmpdir(), "sluice-bench-"));
      const config = path.join(folder, "config.yaml");
      await writeFile(config, configOf(surroundings.upstreamUrl, logs));
      const port = await freePort();
      const child = startChild([sluiceFile, "--config", config], {
        SLUICE_DRAIN_SECONDS: "0",
        PORT: String(port),
        SLUICE_DATA_DIR: path.join(folder, "data"),
        SLUICE_MASTER_KEY: masterKey,
        ...(logs ? langfuseEnvironment(surroundings.langfuseUrl) : {}),
        ...(surroundings.databaseUrl === undefined ? {} : { DATABASE_URL: surroundings.databaseUrl, ...ownKey }),
      });
      const url = `http://127.0.0.1:${String(port)}`;
      const stop = async () => {
        await child.stop();
        await rm(folder, { recursive: true, force: true });
      };
      await waitFor(child, () => answersOk(`${url}/health/readiness`), 120_000);
      const key = await generateKey(url);
      return { url, headers: { authorization: `Bearer ${key}` }, child, stop };
    },
  };
}

function configOf(upstreamUrl: string, logs: boolean): string {
  return JSON.stringify({
    model_list: [
      { model_name: "mock", litellm_params: { model: "openai/mock", api_base: `${upstreamUrl}/v1`, api_key: "x" } },
    ],
    litellm_settings: { callbacks: logs ? ["langfuse"] : [] },
  });
}

function langfuseEnvironment(url: string): Record<string, string> {
  return {
    LANGFUSE_PUBLIC_KEY: langfuseProject.publicKey,
    LANGFUSE_SECRET_KEY: langfuseProject.secretKey,
    LANGFUSE_HOST: url,
  };
}

const GeneratedKey = z.object({ key: z.string() });

async function generateKey(url: string): Promise<string> {
  const response = await fetch(`${url}/key/generate`, {
    method: "POST",
    headers: { authorization: `Bearer ${masterKey}`, "content-type": "application/json" },
    body: JSON.stringify({ key_alias: "benchmark" }),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`/key/generate answered ${String(response.status)}: ${text}`);
  return GeneratedKey.parse(JSON.parse(text)).key;
}

function missing(file: string): string | null {
  return existsSync(file) ? null : `${path.relative(root, file)} does not exist`;
}
