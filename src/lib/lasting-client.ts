import pg from "pg";
import { isDirect } from "#lib/build-index.ts";

/** One connection to PostgreSQL that is made anew whenever it was lost. */
export type LastingClient = {
  /** Runs one statement and returns its rows; throws where there is no connection, and the next call makes one. */
  query(sql: string, values?: readonly unknown[]): Promise<readonly unknown[]>;
  close(): Promise<void>;
};

/** After this long without an answer a connection counts as lost. */
const answerMaxMs = 2_000;

/**
 * Makes a client with a connection of its own, so that a busy pool cannot keep it waiting. `onNotice` is called for
 * every NOTIFY on `channel` that reaches this connection; none does behind a transaction pooler.
 */
export function makeLastingClient(connection: pg.ClientConfig, channel: string, onNotice: () => void): LastingClient {
  let current: Promise<pg.Client> | null = null;
  let isClosed = false;

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({
      ...connection,
      connectionTimeoutMillis: answerMaxMs,
      query_timeout: answerMaxMs,
      keepAlive: true,
    });
    // Without a listener an idle connection that is cut would end the process.
    client.on("error", () => {
      current = null;
    });
    client.on("notification", onNotice);
    await client.connect();
    // Behind a transaction pooler it would stay on a connection of others, and reach nobody.
    if (await isDirect(client)) await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    return client;
  }

  async function discard(lost: Promise<pg.Client>): Promise<void> {
    if (current === lost) current = null;
    await lost.then((client) => client.end()).catch(() => undefined);
  }

  return {
    async query(sql, values = []) {
      if (isClosed) throw new Error("The connection was closed.");
      const using = (current ??= connect());
      try {
        const client = await using;
        const { rows } = await client.query<Record<string, unknown>>(sql, [...values]);
        return rows;
      } catch (error) {
        void discard(using);
        throw error;
      }
    },
    async close() {
      isClosed = true;
      if (current !== null) await discard(current);
    },
  };
}
