import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

/** A process that the benchmark started, in a process group of its own. */
export type Child = {
  /** Id of the process and of its group. */
  pid: number;
  /** What it wrote so far, both streams, the last 20 kB. */
  output(): string;
  /** Asks the whole group to stop, and ends it after 15 s. */
  stop(): Promise<void>;
};

const running = new Set<number>();
process.once("exit", () => {
  for (const pid of running) signalGroup(pid, "SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

/** Starts `node` with arguments and exactly this environment (and PATH and HOME). */
export function startChild(args: readonly string[], env: Record<string, string>): Child {
  const inherited = { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", NODE_ENV: "production" as const };
  const child = spawn(process.execPath, [...args], {
    detached: true,
    env: { ...env, ...inherited },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`Could not start node ${args.join(" ")}`);
  running.add(pid);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => (output = `${output}${line}\n`.slice(-20_000)));
  }
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    pid,
    output: () => output,
    async stop() {
      signalGroup(pid, "SIGTERM");
      await Promise.race([gone, sleep(15_000, undefined, { ref: false })]);
      signalGroup(pid, "SIGKILL");
      await gone;
      running.delete(pid);
    },
  };
}

const Started = z.object({ url: z.string() });

/** Starts one of our own servers, which prints its URL as a JSON line, and waits for that line. */
export async function startServer(file: string, env: Record<string, string> = {}): Promise<Child & { url: string }> {
  const child = startChild([file, "--until-stdin-ends"], env);
  const url = await waitFor(child, () => {
    const line = child.output().split("\n")[0] ?? "";
    return Promise.resolve(line.startsWith("{") ? Started.parse(JSON.parse(line)).url : null);
  });
  return { ...child, url };
}

/** Repeats `find` until it finds something; throws with the child's output after `timeoutMs`. */
export async function waitFor<T>(child: Child, find: () => Promise<T | null>, timeoutMs = 60_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    const found = await find();
    if (found !== null) return found;
    await sleep(50);
  }
  await child.stop();
  throw new Error(`A process was not ready after ${String(timeoutMs)} ms:\n${child.output()}`);
}

/** True where a GET answers 200. */
export async function answersOk(url: string): Promise<true | null> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.status === 200 ? true : null;
  } catch {
    return null;
  }
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("No free port.");
  return address.port;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}
