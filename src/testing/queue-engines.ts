import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { afterAll, beforeAll } from "vitest";
import { startEmbeddedPostgres } from "#lib/embedded-postgres.ts";
import { migrate } from "#lib/migrate.ts";
import { makeKeyring } from "#lib/seal.ts";
import { openDatabaseQueue, type DatabaseQueue } from "#logging/queue/database.ts";
import { openLocalQueue } from "#logging/queue/local.ts";
import type { Queue } from "#logging/queue/queue.ts";

/** A place where queues of an engine lie. `damage` changes the stored content of a record; the queue is closed then. */
export type EngineHome = {
  /** `keepsContent`: what was delivered keeps its content. */
  open(options?: { keepsContent: boolean }): Promise<Queue>;
  damage(recordId: string): Promise<void>;
  contents(): Promise<number>;
  remove(): Promise<void>;
};

/** A PostgreSQL database of a test file's own, with the tables of the queue. */
export type QueueDatabase = {
  connection: pg.ClientConfig;
  /** Where it is reached, and who it is opened as: for who comes by another way. */
  address: { host: string; port: number } | { path: string };
  login: pg.ClientConfig;
  open(options?: { keepsContent: boolean }): DatabaseQueue;
  query(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Empties the tables of the queue. */
  clear(): Promise<void>;
  drop(): Promise<void>;
};

/** The keys that seal what tests queue. */
export const queueKeyring = makeKeyring(["master key of the queue tests"]);

/** Both engines for all tests of a file, with a database that is made before them and dropped after them. */
export function queueEnginesOfFile(): { name: string; make: () => EngineHome }[] {
  let database: QueueDatabase;
  beforeAll(async () => {
    database = await startQueueDatabase();
  });
  afterAll(() => database.drop());
  return [
    { name: "local", make: makeLocalHome },
    { name: "database", make: () => makeDatabaseHome(database) },
  ];
}

/** A new home of the local engine. */
export function makeLocalHome(): EngineHome {
  const folder = mkdtempSync(join(tmpdir(), "sluice-queue-"));
  const path = join(folder, "queue.sqlite");
  function withFile<T>(work: (file: DatabaseSync) => T): T {
    const file = new DatabaseSync(path);
    try {
      return work(file);
    } finally {
      file.close();
    }
  }
  const bodyOf = "content_id = (SELECT content_id FROM delivery WHERE record_id = ?)";
  return {
    open: async (options) => openLocalQueue({ path, keyring: queueKeyring, ...options }),
    damage: async (recordId) =>
      withFile((file) => {
        file.prepare(`UPDATE content SET sealed = zeroblob(length(sealed)) WHERE ${bodyOf}`).run(recordId);
      }),
    contents: async () => withFile((file) => Number(file.prepare("SELECT count(*) AS n FROM content").get()?.n)),
    remove: async () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A home of the database engine. One database has room for one at a time. */
function makeDatabaseHome(database: QueueDatabase): EngineHome {
  const bodyOf = "content_id = (SELECT content_id FROM queue_delivery WHERE record_id = $1)";
  return {
    open: async (options) => database.open(options),
    damage: async (recordId) => {
      await database.query(`UPDATE queue_content SET sealed = decode('00', 'hex') WHERE ${bodyOf}`, [recordId]);
    },
    contents: async () => {
      const [row] = await database.query("SELECT count(*)::int AS n FROM queue_content");
      return Number(row?.["n"]);
    },
    remove: () => database.clear(),
  };
}

/** Makes a database for queues: a new one on the PostgreSQL at `DATABASE_URL`, otherwise an embedded one in memory. */
export async function startQueueDatabase(): Promise<QueueDatabase> {
  const given = process.env.DATABASE_URL;
  const place = given ? await makeDatabase(given) : await startEmbedded();
  await migrate(place.connection);
  const pool = new pg.Pool({ ...place.connection, max: 1 });
  async function query(text: string, values: unknown[] = []) {
    const { rows } = await pool.query<Record<string, unknown>>(text, values);
    return rows;
  }
  return {
    connection: place.connection,
    address: place.address,
    login: place.login,
    open: (options) =>
      openDatabaseQueue({ connection: place.connection, keyring: queueKeyring, connectionsMax: 3, ...options }),
    query,
    async clear() {
      await query("TRUNCATE queue_content, queue_delivery, queue_count");
    },
    async drop() {
      await pool.end();
      await place.drop();
    },
  };
}

async function startEmbedded() {
  const embedded = await startEmbeddedPostgres(null);
  const connection = { host: embedded.socketDir, port: embedded.port, user: "postgres", database: "postgres" };
  const { host: _host, port: _port, ...login } = connection;
  const address = { path: join(embedded.socketDir, `.s.PGSQL.${String(embedded.port)}`) };
  return { connection, address, login, drop: () => embedded.stop() };
}

async function makeDatabase(url: string) {
  const name = `queue_${randomUUID().replaceAll("-", "")}`;
  async function administer(text: string) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(text).finally(() => client.end());
  }
  await administer(`CREATE DATABASE ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  const { username, password, hostname: host } = own;
  return {
    connection: { connectionString: own.href },
    address: { host, port: Number(own.port || 5432) },
    login: { user: decodeURIComponent(username), password: decodeURIComponent(password), database: name },
    drop: () => administer(`DROP DATABASE ${name} WITH (FORCE)`),
  };
}
