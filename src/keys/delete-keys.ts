import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction, type Transaction } from "#lib/in-transaction.ts";
import { forgetKey } from "#keys/caller-cache.ts";
import { standingFor } from "#keys/key-rights.ts";
import { keyColumns, toKeyRow, toToken, type StoredKey } from "#keys/key-row.ts";
import type { DeleteKeys } from "#keys/key.ts";
import { isProxyAdmin } from "#keys/rights.ts";
import type { Actor } from "#keys/actor.ts";
import { writeAudit } from "#logging/audit.ts";
import { announceCallbacks } from "#logging/write-callbacks.ts";

/**
 * Deletes the keys that exist, with their callbacks, and returns how the caller named them. Proxy administrators delete
 * every key, 404 where none exists; others their own and those of teams that they administer, all or none.
 */
export async function deleteKeys(db: Database["db"], actor: Actor, input: DeleteKeys): Promise<string[]> {
  const names = [...new Set(input.keys ?? [])].map((name) => ({ name, token: toToken(name) }));
  const aliases = [...new Set(input.key_aliases ?? [])];
  const deleted = await inTransaction(db, async (tx) => {
    const tokens = names.map((named) => named.token);
    const found = await tx.key.findMany({
      where: { OR: [{ token: { in: tokens } }, { alias: { in: aliases } }] },
      select: keyColumns,
    });
    await assertMayDelete(tx, actor, { found, asked: names.length + aliases.length });
    if (found.length === 0) throw new AppError("not_found", "No keys found", { param: "keys" });
    await tx.key.deleteMany({ where: { token: { in: found.map((key) => key.token) } } });
    await tx.modelSpend.deleteMany({ where: { scope: "key", ownerId: { in: found.map((key) => key.token) } } });
    for (const key of found) {
      await writeAudit(tx, actor, { action: "delete", objectType: "key", objectId: key.token, before: toKeyRow(key) });
    }
    return found;
  });
  for (const key of deleted) forgetKey(key.token);
  await announceCallbacks(deleted.flatMap((key) => key.callbacks.map((callback) => callback.id)));
  return [
    ...names.filter(({ token }) => deleted.some((key) => key.token === token)).map(({ name }) => name),
    ...aliases.filter((alias) => deleted.some((key) => key.alias === alias)),
  ];
}

/** Nobody but a proxy administrator learns which of the names are somebody else's keys and which are none. */
async function assertMayDelete(
  tx: Transaction,
  actor: Actor,
  { found, asked }: { found: readonly StoredKey[]; asked: number },
): Promise<void> {
  const refusal = new AppError("forbidden", "You are not authorized to delete this key", { param: "keys" });
  if (!isProxyAdmin(actor) && found.length < asked) throw refusal;
  for (const owner of found) await standingFor(tx, actor, { owner, route: "/key/delete", refusal });
}
