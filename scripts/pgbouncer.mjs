// A PgBouncer of our own in transaction mode, in front of a PostgreSQL: LISTEN reaches nobody behind it.
import { spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { unprivilegedAccount } from "./postgres.mjs";
import { SetupError } from "./setup.mjs";
import { freePort } from "./free-port.mjs";

const startTimeoutMs = 20_000;

/**
 * Starts a PgBouncer for the server of `postgresUrl`: the machine's, else, as root, Debian's, which is then installed.
 * Resolves with `{ url, stop() }`; `url` leads to the same database through the pooler.
 */
export async function startPgbouncer(postgresUrl) {
  const program = findProgram();
  const account = unprivilegedAccount();
  const folder = mkdtempSync(join(tmpdir(), "sluice-pgbouncer-"));
  const port = await freePort();
  const server = new URL(postgresUrl);
  const target = `host=${server.hostname} port=${server.port} user=${server.username} password=${server.password}`;
  const settings = {
    listen_addr: "127.0.0.1",
    listen_port: port,
    unix_socket_dir: "",
    auth_type: "any",
    pool_mode: "transaction",
    max_client_conn: 200,
    default_pool_size: 20,
    // Otherwise it refuses everybody for 15 s after its server was away.
    server_login_retry: 1,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  const file = join(folder, "pgbouncer.ini");
  writeFileSync(file, `[databases]\n* = ${target}\n[pgbouncer]\n${lines.join("\n")}\n`, { mode: 0o600 });
  if (account.uid !== undefined) for (const path of [folder, file]) chownSync(path, account.uid, account.gid);
  const child = spawn(program, [file], { ...account, cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const pooler = { child, log: "" };
  child.once("error", (error) => (pooler.log += error.message));
  child.stderr.on("data", (chunk) => (pooler.log = (pooler.log + chunk).slice(-10_000)));
  const onExit = () => child.kill("SIGKILL");
  process.once("exit", onExit);
  const url = new URL(postgresUrl);
  url.host = `127.0.0.1:${port}`;
  async function stop() {
    process.off("exit", onExit);
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    if (child.pid !== undefined) await ended;
    rmSync(folder, { recursive: true, force: true });
  }
  if (!(await answers(pooler, url.href))) {
    await stop();
    throw new SetupError(`PgBouncer did not start:\n${pooler.log}`);
  }
  return { url: url.href, stop };
}

function findProgram() {
  const places = ["/usr/sbin/pgbouncer", "/usr/local/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"];
  const found = places.find((place) => existsSync(place));
  if (found) return found;
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    spawnSync("apt-get", ["update", "-qq"], { env, stdio: "ignore" });
    const { stderr } = spawnSync("apt-get", ["install", "-y", "-qq", "pgbouncer"], { env, encoding: "utf8" });
    const installed = places.find((place) => existsSync(place));
    if (installed) return installed;
    throw new SetupError(`No PgBouncer: apt-get could not install it.\n${stderr}`);
  }
  throw new SetupError(`No PgBouncer in ${places.join(", ")}, and only root can install one. Install PgBouncer 1.18.`);
}

async function answers({ child }, url) {
  const endMs = performance.now() + startTimeoutMs;
  while (performance.now() < endMs && child.exitCode === null && child.pid !== undefined) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    try {
      await client.connect();
      await client.query("SELECT 1");
      return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  return false;
}
