import type { Database } from "#lib/db.ts";
import type { Prisma } from "#lib/prisma/client.ts";

/** A transaction that is open now. */
export type Transaction = Prisma.TransactionClient;

/** Writes wait for each other longer than Prisma's two seconds: the embedded database runs them one after another. */
const patience = { maxWait: 20_000, timeout: 20_000 };

/** Runs `work` in one transaction: all that it wrote holds, or, where it throws, nothing. No network calls inside. */
export function inTransaction<T>(db: Database["db"], work: (tx: Transaction) => Promise<T>): Promise<T> {
  return db.$transaction(work, patience);
}

/**
 * Keeps every other transaction that locks the same name waiting until this one ends. For what has no row to lock yet,
 * such as an id that is about to be taken.
 */
export async function lockName(tx: Transaction, name: string): Promise<void> {
  await tx.$queryRaw`SELECT 1 AS locked FROM pg_advisory_xact_lock(hashtextextended(${name}, 0))`;
}
