// Brings a checkout into the state in which it can serve and be tested: packages, Prisma client, pages. Runs on the
// machine's own Node, before any package is there, so it imports nothing but Node. Each step leaves a stamp and is
// skipped while the stamp fits.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The top of the checkout. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const nodeMajorNeeded = 24;
const nodeMajorToStart = 20;
const npmMajorNeeded = 9;

/** What a person can mend: shown as a sentence, without a stack. */
export class SetupError extends Error {}

/**
 * Installs, generates and builds what is missing or stale, and returns the Node that the project runs on. Throws
 * `SetupError` with what to do.
 */
export async function setUp() {
  checkMachine();
  if (!isInstalled()) await install();
  const node = findNode();
  if (readStamp(clientStamp) !== hashClientSource()) await generateClient(node);
  if (readStamp(pagesStamp) !== hashPagesSource()) await buildPages(node);
  return node;
}

/** The environment of every program of the project: its Node and its programs first, and nothing that calls home. */
export function projectEnv(node, extra = {}) {
  return {
    ...process.env,
    CHECKPOINT_DISABLE: "1",
    NEXT_TELEMETRY_DISABLED: "1",
    PRISMA_HIDE_UPDATE_MESSAGE: "1",
    PATH: [dirname(node), join(root, "node_modules/.bin"), process.env.PATH].join(delimiter),
    ...extra,
  };
}

/** Runs a program to its end with our own output. Resolves with its exit code (128 and more: ended by a signal). */
export function run(command, parameters, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, { cwd: root, stdio: "inherit", ...options });
    const endChild = () => child.kill();
    process.once("exit", endChild);
    child.once("error", reject);
    child.once("exit", (code) => {
      process.off("exit", endChild);
      resolve(code ?? 128);
    });
  });
}

/** Prints a message and ends with 1 where it is a `SetupError`; everything else is a bug and keeps its stack. */
export function failWith(error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\n${error.message}`);
  process.exit(1);
}

function checkMachine() {
  const major = Number.parseInt(process.versions.node, 10);
  if (major < nodeMajorToStart) {
    throw new SetupError(`Sluice needs Node ${nodeMajorToStart} or newer to start; this is ${process.versions.node}.`);
  }
  if (process.platform === "darwin" && major < nodeMajorNeeded) {
    throw new SetupError(
      `On macOS the lockfile brings no Node of its own: install Node ${nodeMajorNeeded} or newer (this is ${process.versions.node}).`,
    );
  }
}

/** The npm that runs us, else the one on the PATH. */
function npmCommand() {
  const own = process.env.npm_execpath ?? "";
  if (/npm-cli\.c?js$/.test(own) && existsSync(own))
    return { command: process.execPath, parameters: [own], shell: false };
  // On Windows npm is a script, which only the shell starts.
  return { command: "npm", parameters: [], shell: process.platform === "win32" };
}

function isInstalled() {
  const wanted = readJson(join(root, "package-lock.json"))?.packages;
  const installed = readJson(join(root, "node_modules/.package-lock.json"))?.packages;
  if (!wanted) throw new SetupError("package-lock.json is missing or broken: this is no whole checkout.");
  if (!installed) return false;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === "") continue;
    const found = installed[path];
    const same = found?.version === entry.version && found?.integrity === entry.integrity;
    // npm leaves out what is made for other machines.
    if (!same && (found !== undefined || !entry.optional || isForThisMachine(entry))) return false;
  }
  return Object.keys(installed).every((path) => path in wanted);
}

function isForThisMachine({ os, cpu, libc }) {
  if (os === undefined && cpu === undefined) return false;
  const libcHere = process.report?.getReport().header.glibcVersionRuntime ? "glibc" : "musl";
  const fits = (names, name) => names === undefined || names.includes(name);
  return (
    fits(os, process.platform) && fits(cpu, process.arch) && (process.platform !== "linux" || fits(libc, libcHere))
  );
}

async function install() {
  const { command, parameters, shell } = npmCommand();
  const version = spawnSync(command, [...parameters, "--version"], { encoding: "utf8", shell }).stdout?.trim();
  if (!version) throw new SetupError("npm was not found: install npm, which comes with Node, and put it on the PATH.");
  if (Number.parseInt(version, 10) < npmMajorNeeded) {
    throw new SetupError(`Sluice needs npm ${npmMajorNeeded} or newer; this is ${version}.`);
  }
  console.log("Installing the packages of package-lock.json …");
  // Prisma's generator and Next's compiler are build tools, so a production environment needs them as well.
  const wanted = ["ci", "--include=dev", "--include=optional", "--ignore-scripts", "--no-audit", "--no-fund"];
  // npm checks the packages against its own Node, and they run on the Node among them: its warnings would mislead.
  wanted.push("--loglevel=error");
  const code = await run(command, [...parameters, ...wanted], { shell });
  if (code !== 0) throw new SetupError(`npm ci failed with ${code}; its own words are above.`);
}

/** Node 24 or newer: the lockfile's own, else the machine's. */
function findNode() {
  const ending = process.platform === "win32" ? "bin/node.exe" : "bin/node";
  const own = join(root, "node_modules", `node-${process.platform.replace("win32", "win")}-${process.arch}`, ending);
  for (const candidate of [own, process.execPath]) {
    const version = spawnSync(candidate, ["--version"], { encoding: "utf8" }).stdout ?? "";
    if (Number.parseInt(version.slice(1), 10) >= nodeMajorNeeded) return candidate;
  }
  throw new SetupError(
    `No Node ${nodeMajorNeeded}: the lockfile's does not run on this machine (${process.platform}, ${process.arch}), and ` +
      `the machine's own is ${process.versions.node}. Install Node ${nodeMajorNeeded} or newer.`,
  );
}

const clientStamp = join(root, "src/lib/prisma/.stamp");

function hashClientSource() {
  return hashFiles(["prisma.config.ts", "prisma/schema.prisma", "node_modules/prisma/package.json"]);
}

async function generateClient(node) {
  console.log("Generating the Prisma client …");
  // Generating never runs the schema engine, but asks for one; naming any program keeps it from being downloaded.
  const env = projectEnv(node, { PRISMA_SCHEMA_ENGINE_BINARY: node });
  const code = await run(node, ["node_modules/prisma/build/index.js", "generate", "--no-hints"], { env });
  if (code !== 0) throw new SetupError(`prisma generate failed with ${code}; its own words are above.`);
  writeFileSync(clientStamp, hashClientSource());
}

const pagesStamp = join(root, ".next/.stamp");

/** What Next serves: the pages and all that they load. The REST routes are served without it. */
function hashPagesSource() {
  return hashFiles([
    "next.config.js",
    "package.json",
    "package-lock.json",
    "postcss.config.mjs",
    "prisma/schema.prisma",
    "public",
    "src/app",
    "src/auth",
    "src/client",
    "src/lib",
    "src/proxy.ts",
    "src/trpc",
    "src/ui",
    "tsconfig.json",
    "tsconfig.next.json",
  ]);
}

const notOfPages = ["src/app/(rest)", "src/app/api/trpc", "src/lib/prisma"].map((path) => path.replaceAll("/", sep));

async function buildPages(node) {
  console.log("Building the pages …");
  const hash = hashPagesSource();
  rmSync(pagesStamp, { force: true });
  const env = projectEnv(node, { NODE_ENV: "production" });
  const code = await run(node, ["node_modules/next/dist/bin/next", "build"], { env });
  if (code !== 0) throw new SetupError(`next build failed with ${code}; its own words are above.`);
  mkdirSync(dirname(pagesStamp), { recursive: true });
  writeFileSync(pagesStamp, hash);
}

function hashFiles(paths) {
  const digest = createHash("sha256");
  for (const path of paths) addToHash(digest, join(root, path));
  return digest.digest("hex");
}

function addToHash(digest, path) {
  const name = relative(root, path);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || notOfPages.includes(name) || /\.test\.tsx?$/.test(name)) return;
  if (stat.isDirectory()) {
    for (const entry of readdirSync(path).sort()) addToHash(digest, join(path, entry));
    return;
  }
  const content = readFileSync(path);
  digest.update(`${name}\n${content.length}\n`).update(content);
}

function readStamp(path) {
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setUp().catch(failWith);
