import { PrismaPg } from "@prisma/adapter-pg";
import type pg from "pg";
import type { Database } from "#lib/database-state.ts";
import { errorCode } from "#lib/build-index.ts";
import { AppError } from "#lib/errors.ts";
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
    throw options.url === null ? error : explainUnreached(options.url, error);
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

/** No server answers there, or it does not let us in: codes of Node and of PostgreSQL. */
const unreachedCode = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ETIMEDOUT|28000|28P01|3D000)$/;

/** An error that names the setting and the server, without the password, if a server could not be used at all. */
export function explainUnreached(url: string, error: unknown): unknown {
  const code = errorCode(error);
  if (!unreachedCode.test(code)) return error;
  const reason = error instanceof Error && error.message !== "" ? error.message : code;
  const at = URL.parse(url)?.host ?? "its address";
  return new AppError(
    "unavailable",
    `DATABASE_URL: PostgreSQL at ${at} cannot be used (${reason}). Fix: start the server, or correct DATABASE_URL.`,
    { cause: error },
  );
}

function embeddedConnection(embedded: EmbeddedPostgres): pg.ClientConfig {
  return { host: embedded.socketDir, port: embedded.port, user: "postgres", database: "postgres" };
}
