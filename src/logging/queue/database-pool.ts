import pg from "pg";
import { currentLogger } from "#lib/logger.ts";

/** The queue's own connections to PostgreSQL. */
export type QueuePool = {
  /** Runs one statement. Repeats it where PostgreSQL ended it to resolve a deadlock: every statement is atomic. */
  query: RunStatement;
  /** Runs statements in one transaction, repeated as `query`: `work` changes nothing but the database. */
  transact<T>(work: (query: RunStatement) => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

/**
 * Runs a statement. The rows have the type that the columns have in the migration. Without an answer in `timeoutMs` it
 * fails, whatever becomes of it in the database.
 */
export type RunStatement = <Row extends pg.QueryResultRow>(
  text: string,
  values?: readonly unknown[],
  options?: { timeoutMs: number },
) => Promise<Row[]>;

const timeoutDefaultMs = 15_000;

/** Milliseconds, counts and ids stay far below 2^53. What has no entry is text. */
const parsers = new Map<number, (text: string) => unknown>([
  [16, (text) => text === "t"],
  [17, (text) => Buffer.from(text.slice(2), "hex")],
  [20, Number],
  [21, Number],
  [23, Number],
]);

const types: pg.CustomTypesConfig = { getTypeParser: (oid: number) => parsers.get(oid) ?? String };

/** Deadlock, serialization failure. */
const passingCodes = new Set(["40P01", "40001"]);
const attemptsMax = 5;

/**
 * Opens connections, at most `max` at a time. A statement that gets no answer in its time (15 s where nothing is said)
 * fails, and so does one that cannot connect within three seconds.
 */
export function openQueuePool(connection: pg.ClientConfig, max: number): QueuePool {
  const limits = { connectionTimeoutMillis: 3_000, idleTimeoutMillis: 60_000 };
  const pool = new pg.Pool({ ...connection, ...limits, types, max, application_name: "sluice-queue" });
  // A connection that ends is replaced with the next statement, and the one that it ends in tells of it by itself.
  function noteEnd(error: Error): void {
    currentLogger().debug({ error: error.message }, "a connection of the queue ended");
  }
  pool.on("error", noteEnd);
  pool.on("connect", (client) => void client.on("error", noteEnd));

  async function transactOnce<T>(work: (query: RunStatement) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    let failure: Error | undefined;
    try {
      await client.query("BEGIN");
      const result = await work((text, values, options) => run(client, { text, values, options }));
      await client.query("COMMIT");
      return result;
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      await client.query("ROLLBACK").then(
        () => (failure = undefined),
        () => undefined,
      );
      throw error;
    } finally {
      client.release(failure);
    }
  }

  return {
    query: (text, values, options) => repeated(() => run(pool, { text, values, options })),
    transact: (work) => repeated(() => transactOnce(work)),
    close: () => pool.end(),
  };
}

async function run<Row extends pg.QueryResultRow>(
  connection: pg.Pool | pg.PoolClient,
  statement: { text: string; values: readonly unknown[] | undefined; options: { timeoutMs: number } | undefined },
): Promise<Row[]> {
  const { text, values = [], options = { timeoutMs: timeoutDefaultMs } } = statement;
  const query = { text, values: [...values], query_timeout: options.timeoutMs };
  return (await connection.query<Row>(query)).rows;
}

async function repeated<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === attemptsMax || !passingCodes.has(errorCode(error))) throw error;
    }
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/**
 * True where an error says that PostgreSQL is away, is starting or stopping, or does not answer: a matter of waiting.
 * Anything else is a fault of the statement, or of the database itself.
 */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = errorCode(error);
  // 08: connection, 57P: shutdown and start, 53: out of disk, memory or connections, 25006: a standby.
  if (/^(08|57P|53)/.test(code) || code === "25006") return true;
  if (/^(ECONN|EPIPE|ENOTFOUND|ETIMEDOUT|EHOST|ENET|EAI_|ENOENT)/.test(code)) return true;
  if (error instanceof AggregateError) return error.errors.some(isAway);
  if (error.cause !== undefined && isAway(error.cause)) return true;
  return /timeout|Connection terminated|not queryable|Connection ended/i.test(error.message);
}
