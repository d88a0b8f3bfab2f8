import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The storage emulator of firebase-tools: another server than our own fake, which knows nothing of us. */
export type GcsEmulator = { url: string; close(): Promise<void> };

/** 250 MB with what it needs, and of use for nothing else: so it is no dependency of the project. */
const packageName = "firebase-tools@15.34.2";
const installTimeoutMs = 480_000;
const startTimeoutMs = 60_000;

/**
 * Installs the emulator into a temporary folder and starts it on a free port. Throws with what npm or the emulator
 * printed where that does not work.
 */
export async function startGcsEmulator(): Promise<GcsEmulator> {
  const folder = await mkdtemp(join(tmpdir(), "gcs-emulator-"));
  let emulator: ChildProcess | null = null;
  async function close(): Promise<void> {
    if (emulator !== null && emulator.exitCode === null && emulator.signalCode === null) {
      const exited = once(emulator, "exit");
      emulator.kill("SIGKILL");
      await exited;
    }
    await rm(folder, { recursive: true, force: true });
  }
  try {
    await install(folder);
    const started = await start(folder);
    emulator = started.emulator;
    return { url: started.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function install(folder: string): Promise<void> {
  const flags = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts"];
  const npm = spawn("npm", ["install", "--prefix", folder, ...flags, packageName], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: installTimeoutMs,
  });
  const printed = keepOutput(npm);
  const code = await endOf(npm);
  if (code !== 0) throw new Error(`npm could not install ${packageName} (${String(code)}):\n${printed()}`);
}

async function start(folder: string): Promise<{ emulator: ChildProcess; url: string }> {
  const main = join(import.meta.dirname, "gcs-emulator-main.mjs");
  const emulator = spawn(process.execPath, [main, folder], {
    cwd: folder,
    // Its objects go where the rest of it is.
    env: { ...process.env, HOME: folder, TMPDIR: folder },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const printed = keepOutput(emulator);
  const listening = new Promise<string>((resolve) => {
    emulator.stdout.on("data", () => {
      const url = /listening on (\S+)/.exec(printed())?.[1];
      if (url !== undefined) resolve(url);
    });
  });
  const ended = endOf(emulator).then((code) => {
    throw new Error(`The storage emulator ended with ${String(code)}:\n${printed()}`);
  });
  const timer = setTimeout(() => emulator.kill("SIGKILL"), startTimeoutMs);
  try {
    return { emulator, url: await Promise.race([listening, ended]) };
  } finally {
    clearTimeout(timer);
    ended.catch(() => undefined);
  }
}

function keepOutput(child: ChildProcess): () => string {
  let printed = "";
  const keep = (chunk: Buffer) => void (printed = (printed + chunk.toString("utf8")).slice(-10_000));
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  return () => printed;
}

/** The exit code, or why there is none. */
function endOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(code ?? signal ?? "nothing"));
  });
}
