import type { Transaction } from "#lib/in-transaction.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "#keys/actor.ts";
import { standingFor, type KeyRoute, type Standing } from "#keys/key-rights.ts";
import { findKey, type StoredKey } from "#keys/key-row.ts";
import { unknownKey } from "#keys/update-key.ts";

/**
 * Reads a key that nobody else changes before the transaction ends, and as what the actor may change it. Throws 403 for
 * a key that is not his, and 404 to proxy administrators for an unknown one.
 */
export async function lockKey(
  tx: Transaction,
  actor: Actor,
  { token, route }: { token: string; route: KeyRoute },
): Promise<{ stored: StoredKey; standing: Standing }> {
  await tx.$queryRaw`SELECT 1 AS locked FROM "Key" WHERE token = ${token} FOR UPDATE`;
  const stored = await findKey(tx, token);
  const refusal = new AppError("forbidden", "You are not allowed to change this key.", { param: "key" });
  const standing = await standingFor(tx, actor, { owner: stored, route, refusal });
  if (!stored) throw unknownKey();
  return { stored, standing };
}
