import type { PGlite } from "@electric-sql/pglite";

/** Parse, Bind, Close, Describe, Execute and Flush: messages of the extended protocol that a Sync has yet to end. */
const openMessages = new Set(["P", "B", "C", "D", "E", "H"].map((type) => type.charCodeAt(0)));

/** Sync and the simple Query end whatever was open. */
const endingMessages = new Set(["S", "Q"].map((type) => type.charCodeAt(0)));

/**
 * Keeps `PGLiteSocketServer` from mixing its clients up. It gives one backend to all of them message by message, so a
 * Bind could meet the unnamed statement that another client has parsed meanwhile, and get that one's rows. It does stay
 * with one client inside a transaction, so a batch that is open counts as one here, too.
 */
export function keepBatchesWhole(database: PGlite): PGlite {
  const run = database.execProtocolRawStream.bind(database);
  const isInTransaction = database.isInTransaction.bind(database);
  let isBatchOpen = false;
  database.execProtocolRawStream = (message, options) => {
    const type = message[0] ?? 0;
    if (openMessages.has(type)) isBatchOpen = true;
    else if (endingMessages.has(type)) isBatchOpen = false;
    return run(message, options);
  };
  database.isInTransaction = () => isBatchOpen || isInTransaction();
  return database;
}
