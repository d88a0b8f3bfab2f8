import type { Transaction } from "#lib/in-transaction.ts";
import { findKey, type StoredKey } from "#keys/key-row.ts";
import { unknownKey } from "#keys/update-key.ts";

/** Reads a key that nobody else changes before the transaction ends. Throws 404 for an unknown one. */
export async function lockKey(tx: Transaction, token: string): Promise<StoredKey> {
  await tx.$queryRaw`SELECT 1 AS locked FROM "Key" WHERE token = ${token} FOR UPDATE`;
  const stored = await findKey(tx, token);
  if (!stored) throw unknownKey();
  return stored;
}
