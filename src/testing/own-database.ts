import { randomUUID } from "node:crypto";
import pg from "pg";
import { openDatabase, type Database } from "#lib/db.ts";
import { startEmbeddedPostgres } from "#lib/embedded-postgres.ts";

/** A database that no other test file sees. `sql` is a connection beside the client's pool. */
export type OwnDatabase = { url: string; db: Database["db"]; sql: pg.Client; close(): Promise<void> };

/** Makes one: on the PostgreSQL at `DATABASE_URL` where it is set, otherwise an embedded one in memory. */
export async function openOwnDatabase(): Promise<OwnDatabase> {
  const { url, remove } = await makeOwn();
  const database = await openDatabase({ url, dataDir: null });
  const sql = new pg.Client({ connectionString: url });
  await sql.connect();
  return {
    url,
    db: database.db,
    sql,
    async close() {
      await sql.end();
      await database.close();
      await remove();
    },
  };
}

async function makeOwn(): Promise<{ url: string; remove(): Promise<void> }> {
  const server = process.env.DATABASE_URL;
  if (!server) {
    const embedded = await startEmbeddedPostgres(null);
    const socket = new URLSearchParams({ host: embedded.socketDir, port: String(embedded.port) });
    return { url: `postgresql://postgres@/postgres?${socket.toString()}`, remove: () => embedded.stop() };
  }
  const name = `sluice_test_${randomUUID().replaceAll("-", "")}`;
  await run(server, `CREATE DATABASE ${name}`);
  const own = new URL(server);
  own.pathname = `/${name}`;
  return { url: own.href, remove: () => run(server, `DROP DATABASE ${name} WITH (FORCE)`) };
}

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
