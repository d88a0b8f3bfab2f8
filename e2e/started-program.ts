import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

/** A server program of somebody else that runs beside a test. */
export type StartedProgram = {
  /** All that it has printed. */
  logs(): string;
  /** Ends it, and resolves when it is gone. */
  stop(): Promise<void>;
};

/** How to start it: nothing of our environment is inherited but `PATH`. */
export type ProgramOptions = { cwd: string; env: Record<string, string>; readyUrl: string; readyMs: number };

/** A test run that breaks off leaves no program behind. */
const running = new Set<ChildProcess>();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** Starts a program and resolves once `readyUrl` answers 200; throws with what it printed where that does not come. */
export async function startProgram(
  [program = "", ...args]: readonly string[],
  { cwd, env, readyUrl, readyMs }: ProgramOptions,
): Promise<StartedProgram> {
  const child = spawn(program, args, {
    cwd,
    env: { PATH: process.env.PATH ?? "", ...env, NODE_ENV: "production" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => void (printed += chunk.toString("utf8")));
  }
  running.add(child);
  const gone = once(child, "exit").then(
    () => undefined,
    (error: unknown) => void (printed += String(error)),
  );
  void gone.then(() => running.delete(child));
  async function stop(): Promise<void> {
    child.kill("SIGKILL");
    await gone;
  }
  const endMs = performance.now() + readyMs;
  while (performance.now() < endMs && running.has(child)) {
    const answer = await fetch(readyUrl).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.status === 200) return { logs: () => printed, stop };
    await sleep(100);
  }
  await stop();
  throw new Error(`${program} did not get ready. It printed:\n${printed.slice(-10_000)}`);
}
