import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, connect as connectTo } from "node:net";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { migrate } from "#lib/migrate.ts";
import { startPgbouncer } from "../../scripts/pgbouncer.mjs";
import { makeKey, until } from "../rest/admin.ts";
import { readRows, runSql, type SluiceProcess } from "../sluice-process.ts";
import { ask, expect, test } from "./gateways.ts";

/** Former builds took this number for a session's lock. */
const formerLock = 72_153_001;

type Folder = { path: string; add(name: string, sql: string): void; remove(): void };

/** A folder of migrations of a test's own. */
function makeFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "sluice-migrations-"));
  return {
    path,
    add(name, sql) {
      mkdirSync(join(path, name));
      writeFileSync(join(path, name, "migration.sql"), sql);
    },
    remove: () => rmSync(path, { recursive: true }),
  };
}

/** A session beside the gateways. */
async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

/** Asks a gateway without a pause until it is stopped; gives the statuses of the answers. */
function startTraffic(sluice: SluiceProcess, key: string): { stop(): Promise<number[]> } {
  const statuses: number[] = [];
  let isStopped = false;
  async function run(): Promise<void> {
    while (!isStopped) statuses.push((await ask(sluice, key, "ping")).status);
  }
  const runs = [run(), run(), run()];
  return {
    async stop() {
      isStopped = true;
      await Promise.all(runs);
      return statuses;
    },
  };
}

/** Starts a gateway that nobody waits for. */
function startWithoutWaiting(databaseUrl: string): ChildProcess {
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: "production",
    PORT: "0",
    DATABASE_URL: databaseUrl,
    SLUICE_DATA_DIR: mkdtempSync(join(tmpdir(), "sluice-killed-")),
    SLUICE_MASTER_KEY: "sk-master-key-of-the-killed",
    SLUICE_ENCRYPTION_KEY: "encryption-key-of-the-killed",
  } as const;
  const child = spawn(process.execPath, ["src/server.ts"], { env, stdio: "ignore" });
  process.once("exit", () => child.kill("SIGKILL"));
  return child;
}

/** Whether an index is there and can be used. */
async function isValid(url: string, index: string): Promise<boolean> {
  const rows = await readRows(url, `SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('${index}') AND indisvalid`);
  return rows.length === 1;
}

test("a lock that a former build has left on a pooled connection keeps no gateway from starting", async ({
  startGateways,
  databaseUrl,
}) => {
  const stuck = await connect(databaseUrl);
  await stuck.query("SELECT pg_advisory_lock($1)", [formerLock]);
  const [sluice] = await startGateways(1);
  expect(sluice?.logs()).toContain('"msg":"ready"');
  await stuck.end();
});

test("gateways killed under traffic behind a transaction pooler become ready again, three times over", async ({
  startGateways,
  databaseUrl,
}) => {
  const pooler = await startPgbouncer(databaseUrl);
  const [one, other] = await startGateways(2, { urlOf: () => pooler.url });
  if (!one || !other) throw new Error("Two gateways were asked for.");
  const key = await makeKey(one, {});
  for (let round = 0; round < 3; round += 1) {
    const [staying, killed] = round % 2 === 0 ? [one, other] : [other, one];
    const traffic = startTraffic(staying, key);
    await killed.kill();
    await killed.restart();
    expect(new Set(await traffic.stop())).toEqual(new Set([200]));
  }
  for (const sluice of [one, other]) await sluice.dispose();
  const locks = await readRows(databaseUrl, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted");
  expect(locks).toEqual([]);
  await pooler.stop();
});

test("gateways that start at once on an empty database behind a pooler all become ready", async ({
  startGateways,
  databaseUrl,
}) => {
  const pooler = await startPgbouncer(databaseUrl);
  const env = { SLUICE_MASTER_KEY: "sk-master-key-of-three", SLUICE_ENCRYPTION_KEY: "encryption-key-of-three" };
  const started = [1, 2, 3].map(() => startGateways(1, { urlOf: () => pooler.url, env }));
  const sluices = (await Promise.all(started)).flat();
  expect(sluices).toHaveLength(3);
  const twice = "SELECT migration_name FROM _prisma_migrations GROUP BY migration_name HAVING count(*) > 1";
  expect(await readRows(databaseUrl, twice)).toEqual([]);
  for (const sluice of sluices) await sluice.dispose();
  await pooler.stop();
});

test("a gateway killed while it migrates leaves a database on which the next one starts", async ({
  startGateways,
  databaseUrl,
}) => {
  const found = "SELECT 1 FROM pg_class WHERE relname = '_prisma_migrations'";
  for (const part of [1, 4, 9]) {
    const killed = startWithoutWaiting(databaseUrl);
    await until("the table is there", async () => (await readRows(databaseUrl, found)).length === 1);
    const many = `SELECT 1 FROM _prisma_migrations OFFSET ${String(part - 1)}`;
    await until("so many are applied", async () => (await readRows(databaseUrl, many)).length > 0);
    killed.kill("SIGKILL");
    await once(killed, "exit");
  }
  const [sluice] = await startGateways(1);
  expect(sluice?.logs()).toContain('"msg":"ready"');
});

test("a build starts on a database with newer migrations, unless one of them is marked incompatible", async ({
  startGateways,
  databaseUrl,
}) => {
  const [sluice] = await startGateways(1);
  if (!sluice) throw new Error("A gateway was asked for.");
  const note = (name: string): Promise<void> =>
    runSql(
      databaseUrl,
      `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name) VALUES ('${name.slice(0, 30)}', '', now(), '${name}')`,
    );
  await note("20990101000000_more_columns");
  await sluice.restart();
  await note("20990102000000_other_tables_incompatible");
  await expect(sluice.restart()).rejects.toThrow(
    /Sluice cannot start:\nA newer version of Sluice has changed the database.*20990102000000_other_tables_incompatible/,
  );
});

test("an index that was left invalid is built again, and calls are answered meanwhile", async ({
  startGateways,
  databaseUrl,
}) => {
  const [one, other] = await startGateways(2);
  if (!one || !other) throw new Error("Two gateways were asked for.");
  const key = await makeKey(one, {});
  await other.stop();
  await runSql(databaseUrl, "DELETE FROM _prisma_migrations WHERE migration_name LIKE '%_dead_letters_of_a_team'");
  await runSql(
    databaseUrl,
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'queue_delivery_dead'::regclass",
  );
  // An open transaction that has written to the table: a plain build would wait for it, and calls behind the build.
  const writer = await connect(databaseUrl);
  await writer.query("BEGIN");
  await writer.query("LOCK TABLE queue_delivery IN ROW EXCLUSIVE MODE");
  const restarted = other.restart();
  const waiting = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'";
  await until("the build waits", async () => (await readRows(databaseUrl, waiting)).length > 0);
  for (let call = 0; call < 10; call += 1) expect((await ask(one, key, "ping")).status).toBe(200);
  await writer.query("COMMIT");
  await restarted;
  await writer.end();
  expect(await isValid(databaseUrl, "queue_delivery_dead")).toBe(true);
});

test("an index whose builder was killed is waited for, not built beside it", async ({ databaseUrl }) => {
  const folder = makeFolder();
  folder.add("1_table", 'CREATE TABLE "t" AS SELECT 1 AS a;');
  await migrate({ connectionString: databaseUrl }, { directory: folder.path });
  folder.add("2_index", 'CREATE INDEX "t_a" ON "t" ("a");\nCREATE INDEX "t_a_again" ON "t" ("a");');
  const [writer, builder] = [await connect(databaseUrl), await connect(databaseUrl)];
  await writer.query("BEGIN");
  await writer.query("INSERT INTO t VALUES (2)");
  const built = builder.query('CREATE INDEX CONCURRENTLY "t_a" ON "t" ("a")');
  const progress = "SELECT 1 FROM pg_stat_progress_create_index";
  await until("it is being built", async () => (await readRows(databaseUrl, progress)).length === 1);
  const migrated = migrate({ connectionString: databaseUrl }, { directory: folder.path });
  const holders = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted";
  await until("the migration runs", async () => (await readRows(databaseUrl, holders)).length === 1);
  await writer.query("COMMIT");
  await Promise.all([built, migrated]);
  expect([await isValid(databaseUrl, "t_a"), await isValid(databaseUrl, "t_a_again")]).toEqual([true, true]);
  await Promise.all([writer.end(), builder.end()]);
  folder.remove();
});

test("a migration lets go of a table that is locked, lets the traffic pass, and comes back", async ({
  databaseUrl,
}) => {
  const folder = makeFolder();
  folder.add("1_table", 'CREATE TABLE "t" AS SELECT 1 AS a;');
  await migrate({ connectionString: databaseUrl }, { directory: folder.path });
  folder.add("2_column", 'CREATE TABLE "half" ();\nALTER TABLE "t" ADD COLUMN "b" INTEGER;');
  const holder = await connect(databaseUrl);
  await holder.query("BEGIN");
  await holder.query("SELECT * FROM t");
  const migrated = migrate({ connectionString: databaseUrl }, { directory: folder.path });
  // It waits behind the ALTER for as long as that waits, which is for ever if nobody gives up.
  const queued = "SELECT 1 FROM pg_locks WHERE relation = 't'::regclass AND NOT granted";
  await until("the migration waits", async () => (await readRows(databaseUrl, queued)).length === 1);
  expect(await readRows(databaseUrl, "SELECT a FROM t")).toEqual([{ a: 1 }]);
  expect(await readRows(databaseUrl, "SELECT to_regclass('half') AS half")).toEqual([{ half: null }]);
  await holder.query("COMMIT");
  await migrated;
  expect(await readRows(databaseUrl, "SELECT b FROM t")).toEqual([{ b: null }]);
  await holder.end();
  folder.remove();
});

test("a time limit for statements of the database ends no migration and no index build", async ({ databaseUrl }) => {
  const folder = makeFolder();
  const slowly = `CREATE FUNCTION slowly(int) RETURNS int IMMUTABLE LANGUAGE plpgsql
    AS 'BEGIN PERFORM pg_sleep(1); RETURN $1; END'`;
  folder.add("1_table", `${slowly}; CREATE TABLE t (a int); INSERT INTO t SELECT slowly(1);`);
  folder.add("2_index", 'CREATE INDEX "slow_index" ON t (slowly(a));');
  await runSql(databaseUrl, `ALTER DATABASE "${new URL(databaseUrl).pathname.slice(1)}" SET statement_timeout = 300`);
  await migrate({ connectionString: databaseUrl }, { directory: folder.path });
  expect(await isValid(databaseUrl, "slow_index")).toBe(true);
  folder.remove();
});

test("a migration that waits for too long says what to look for, and leaves nothing behind", async ({
  databaseUrl,
}) => {
  const folder = makeFolder();
  folder.add("1_table", 'CREATE TABLE "t" AS SELECT 1 AS a;');
  await migrate({ connectionString: databaseUrl }, { directory: folder.path });
  folder.add("2_column", 'ALTER TABLE "t" ADD COLUMN "b" INTEGER;');
  const holder = await connect(databaseUrl);
  await holder.query("BEGIN");
  await holder.query("SELECT * FROM t");
  const options = { directory: folder.path, patienceMs: 1 };
  await expect(migrate({ connectionString: databaseUrl }, options)).rejects.toThrow(/pg_stat_activity/);
  await holder.query("COMMIT");
  await migrate({ connectionString: databaseUrl }, options);
  await holder.end();
  folder.remove();
});

/** PostgreSQL's own answer to a client while it starts. */
function startingUp(): Buffer {
  const fields = ["SFATAL", "VFATAL", "C57P03", "Mthe database system is starting up", ""];
  const body = Buffer.from(`${fields.join("\0")}\0`);
  const head = Buffer.from("E\0\0\0\0");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

test("a start waits for a server that accepts no connections yet, and says so if it never does", async ({
  databaseUrl,
}) => {
  const target = new URL(databaseUrl);
  let refusals = 2;
  const front = createServer((socket) => {
    socket.on("error", () => undefined);
    refusals -= 1;
    if (refusals >= 0) {
      socket.once("data", () => socket.end(startingUp()));
      return;
    }
    const server = connectTo(Number(target.port), target.hostname);
    server.on("error", () => socket.destroy());
    socket.pipe(server).pipe(socket);
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  const address = front.address();
  if (address === null || typeof address === "string") throw new Error("The server has no TCP port.");
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${String(address.port)}`;
  await migrate({ connectionString: url.href });
  expect(refusals).toBeLessThan(0);
  refusals = 1_000;
  await expect(migrate({ connectionString: url.href }, { reachPatienceMs: 1 })).rejects.toThrow(/no connections yet/);
  front.close();
});
