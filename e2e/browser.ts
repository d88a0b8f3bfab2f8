import { execFile, execFileSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "@playwright/test";

/** How to launch a Chromium: Playwright's `launchOptions`. */
export type ChromiumLaunch = { executablePath: string; args: string[]; env: Record<string, string> };

const run = promisify(execFile);

const repositoryRoot = join(import.meta.dirname, "..");

/** The browser talks to the page under test and to nobody else. */
const quietArguments = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-gpu",
  "--disable-sync",
  "--no-first-run",
];

/**
 * Finds a Chromium that really starts: Playwright's own, `CHROME_PATH`, the machine's, the one that the package
 * `@sparticuz/chromium` carries (Linux x64), or, as root on Debian, the distribution's, which is then installed. Throws
 * one error that names each place and why it did not serve.
 */
export async function findChromium(): Promise<ChromiumLaunch> {
  const reasons: string[] = [];
  for (const [place, find] of places) {
    try {
      const found = await find();
      if (found === null) {
        reasons.push(`${place}: not there`);
        continue;
      }
      return await launchable(found);
    } catch (error) {
      reasons.push(`${place}: ${error instanceof Error ? error.message.trim() : String(error)}`);
    }
  }
  throw new Error(`No Chromium was found, so no browser test can run.\n- ${reasons.join("\n- ")}`);
}

type Found = { executablePath: string; env?: Record<string, string> };

const machineNames = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

const places: readonly (readonly [string, () => Promise<Found | null> | Found | null])[] = [
  ["Playwright's own", () => executable(chromium.executablePath())],
  ["CHROME_PATH", () => executable(process.env.CHROME_PATH ?? "")],
  ["the machine's", findOnPath],
  ["@sparticuz/chromium", unpackPackagedChromium],
  ["Debian's package", installDebianChromium],
];

/** How it starts: in its sandbox where that works, which it does not for root and where a machine forbids namespaces. */
async function launchable(found: Found): Promise<ChromiumLaunch> {
  const given: Record<string, string | undefined> = { ...process.env, ...found.env };
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) if (value !== undefined) env[name] = value;
  const sandboxed = { executablePath: found.executablePath, args: quietArguments, env };
  const open = { ...sandboxed, args: ["--no-sandbox", ...quietArguments] };
  if (process.getuid?.() !== 0 && (await starts(sandboxed).catch(() => false))) return sandboxed;
  await starts(open);
  return open;
}

/** Starts and ends it; throws with the browser's own words where that fails. */
async function starts(launch: ChromiumLaunch): Promise<true> {
  const browser = await chromium.launch({ ...launch, timeout: 30_000 });
  await browser.close();
  return true;
}

function executable(path: string): Found | null {
  if (path === "") return null;
  try {
    accessSync(path, constants.X_OK);
    return { executablePath: path };
  } catch {
    return null;
  }
}

function findOnPath(): Found | null {
  for (const folder of ["/usr/bin", "/usr/local/bin", "/snap/bin"]) {
    for (const name of machineNames) {
      const found = executable(join(folder, name));
      if (found !== null) return found;
    }
  }
  return executable("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
}

async function unpackPackagedChromium(): Promise<Found | null> {
  if (process.platform !== "linux" || process.arch !== "x64") return null;
  const entry = createRequire(import.meta.url).resolve("@sparticuz/chromium");
  const folder = join(repositoryRoot, "node_modules/.cache/chromium", packageVersion(entry));
  if (!existsSync(folder)) {
    await mkdir(dirname(folder), { recursive: true });
    const unpacked = await mkdtemp(`${folder}.`);
    await unpack(unpacked);
    // Another test process may have been faster; its result is the same.
    await rename(unpacked, folder).catch(() => rm(unpacked, { recursive: true, force: true }));
  }
  const env: Record<string, string> = {
    LD_LIBRARY_PATH: [join(folder, "al2023/lib"), process.env.LD_LIBRARY_PATH].filter(Boolean).join(":"),
  };
  if (!existsSync("/etc/fonts/fonts.conf")) env.FONTCONFIG_FILE = await writeFontsConfig(folder);
  return { executablePath: join(folder, "chromium"), env };
}

function packageVersion(entry: string): string {
  const manifest: unknown = createRequire(entry)("../package.json");
  if (typeof manifest === "object" && manifest !== null && "version" in manifest) return String(manifest.version);
  throw new Error("its package.json has no version");
}

/** The package unpacks into the temporary folder of the process that asks: so a process of its own asks. */
async function unpack(folder: string): Promise<void> {
  const script = `
    import { createRequire } from "node:module";
    import { dirname, join } from "node:path";
    import chromium, { inflate } from "@sparticuz/chromium";
    const entry = createRequire(process.cwd() + "/").resolve("@sparticuz/chromium");
    await chromium.executablePath();
    await inflate(join(dirname(entry), "../bin/al2023.tar.br"));
  `;
  await run(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: repositoryRoot,
    env: { ...process.env, TMPDIR: folder },
    timeout: 120_000,
  });
}

async function writeFontsConfig(folder: string): Promise<string> {
  const path = join(folder, "fonts.conf");
  const folders = [join(folder, "fonts"), "/usr/share/fonts"].map((font) => `<dir>${font}</dir>`).join("");
  await writeFile(
    path,
    `<?xml version="1.0"?><fontconfig>${folders}<cachedir>${folder}/fonts-cache</cachedir></fontconfig>`,
  );
  return path;
}

function installDebianChromium(): Found | null {
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return null;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("/usr/bin/apt-get", ["update", "-qq"], { env, stdio: "ignore", timeout: 300_000 });
  execFileSync("/usr/bin/apt-get", ["install", "-y", "-qq", "chromium"], { env, stdio: "ignore", timeout: 600_000 });
  return findOnPath();
}
