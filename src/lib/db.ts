import { PrismaPg } from "@prisma/adapter-pg";
import type pg from "pg";
import type { Database } from "#lib/database-state.ts";
import { PrismaClient, type Prisma } from "#lib/prisma/client.ts";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "#lib/embedded-postgres.ts";
import { migrate } from "#lib/migrate.ts";

export { currentDb, databaseState, type Database } from "#lib/database-state.ts";

/** The database, or a transaction of it. */
export type Db = PrismaClient | Prisma.TransactionClient;

/**
 * Opens PostgreSQL at `url`, or the embedded one in `dataDir` (null: in memory), and brings its schema up to date
 * under a lock.
 */
export async function openDatabase(options: { url: string | null; dataDir: string | null }): Promise<Database> {
  const embedded = options.url === null ? await startEmbeddedPostgres(options.dataDir) : null;
  const connection = embedded ? embeddedConnection(embedded) : { connectionString: options.url ?? "" };
  try {
    await migrate(connection);
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
  const pool = { ...connection, max: embedded ? 4 : 10, connectionTimeoutMillis: 5_000 };
  const db = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    db,
    kind: embedded ? "embedded" : "postgresql",
    onFailure: (listener) => embedded?.onFailure(listener),
    async close() {
      await db.$disconnect();
      await embedded?.stop();
    },
  };
}

function embeddedConnection(embedded: EmbeddedPostgres): pg.ClientConfig {
  return { host: embedded.socketDir, port: embedded.port, user: "postgres", database: "postgres" };
}
