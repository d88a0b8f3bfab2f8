import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction } from "#lib/in-transaction.ts";
import { forgetKey } from "#keys/caller-cache.ts";
import { keyColumns, toKeyRow, toToken, type KeyRow } from "#keys/key-row.ts";
import { lockKey } from "#keys/lock-key.ts";
import type { Actor } from "#keys/actor.ts";
import { writeAudit } from "#logging/audit.ts";
import { announceCallbacks } from "#logging/write-callbacks.ts";

/**
 * Blocks a key or lets it be used again, from its next call on. Its user may block it, and only
 * administrators of its team or of all unblock it. Throws 400 for a text that can be no key and 404 for an
 * unknown one.
 */
export async function blockKey(
  db: Database["db"],
  actor: Actor,
  { key, blocked }: { key: string; blocked: boolean },
): Promise<KeyRow> {
  if (!key.startsWith("sk-") && !/^[0-9a-f]{64}$/i.test(key)) {
    throw new AppError("bad_request", "Invalid key format.", { param: "key" });
  }
  const token = toToken(key);
  const row = await inTransaction(db, async (tx) => {
    const { stored, standing } = await lockKey(tx, actor, { token, route: "/key/block" });
    if (!blocked && standing === "owner") {
      throw new AppError("forbidden", "Only an administrator may unblock a key.", { param: "key" });
    }
    const before = toKeyRow(stored);
    const data = { blocked, updatedBy: actor.userId };
    const after = toKeyRow(await tx.key.update({ where: { token }, data, select: keyColumns }));
    const action = blocked ? "block" : "unblock";
    await writeAudit(tx, actor, { action, objectType: "key", objectId: token, before, after });
    return after;
  });
  forgetKey(token);
  await announceCallbacks([]);
  return row;
}
