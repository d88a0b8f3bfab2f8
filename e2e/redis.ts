import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { findFreePort } from "./sluice-process.ts";

/** A Redis of a test's own, on a free port and without a file. */
export type StartedRedis = {
  url: string;
  /** Ends it; resolves when it is gone. */
  stop(): Promise<void>;
};

/** A test run that breaks off leaves no server behind. */
const running = new Set<ChildProcess>();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** Starts the machine's `redis-server`; rejects where there is none. */
export async function startRedis(): Promise<StartedRedis> {
  const port = String(await findFreePort());
  const redis = spawn("redis-server", ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
  await once(redis, "spawn");
  running.add(redis);
  const gone = once(redis, "exit").then(() => void running.delete(redis));
  await once(redis.stdout, "data");
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      redis.kill("SIGTERM");
      await gone;
    },
  };
}
