import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const stepMs = 240_000;

/**
 * Installs packages from PyPI into a virtual environment in the folder, and gives the folder of its programs. Needs
 * Python 3.10 or newer with venv, and PyPI: where they cannot be had, it throws with the reason.
 */
export async function installFromPypi(folder: string, packages: readonly string[]): Promise<string> {
  const venv = join(folder, "venv");
  await runStep("python3", ["-m", "venv", venv], { folder, packages });
  const bin = join(venv, process.platform === "win32" ? "Scripts" : "bin");
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages];
  await runStep(join(bin, "python"), pip, { folder, packages });
  return bin;
}

async function runStep(
  program: string,
  args: readonly string[],
  { folder, packages }: { folder: string; packages: readonly string[] },
): Promise<void> {
  const limits = { timeout: stepMs, killSignal: "SIGKILL", maxBuffer: 10_000_000 } as const;
  await promisify(execFile)(program, [...args], { cwd: folder, ...limits }).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${packages.join(", ")} needs Python 3.10 or newer with venv, and PyPI: ${reason.slice(-4_000)}`, {
      cause,
    });
  });
}
