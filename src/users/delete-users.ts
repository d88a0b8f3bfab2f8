import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction } from "#lib/in-transaction.ts";
import type { Actor } from "#keys/actor.ts";
import { forgetKey, forgetUser } from "#keys/caller-cache.ts";
import { keyColumns, toKeyRow } from "#keys/key-row.ts";
import { masterUserId } from "#keys/master-user.ts";
import { assertProxyAdmin } from "#keys/rights.ts";
import { writeAudit } from "#logging/audit.ts";
import { announceCallbacks } from "#logging/write-callbacks.ts";
import { toUserRows, unknownUser, userColumns } from "#users/user-row.ts";

/**
 * Deletes users with their keys and memberships, all or none, and says how many. For proxy administrators, who cannot
 * delete themselves (400). Throws 404 that names the first unknown id.
 */
export async function deleteUsers(db: Database["db"], actor: Actor, userIds: readonly string[]): Promise<number> {
  assertProxyAdmin(actor, "delete users");
  const ids = [...new Set(userIds)].toSorted();
  if (ids.some((id) => id === actor.userId || id === masterUserId)) {
    throw new AppError("bad_request", "You cannot delete yourself.", { param: "user_ids" });
  }
  const keys = await inTransaction(db, async (tx) => {
    const users = await tx.user.findMany({ where: { id: { in: ids } }, select: userColumns });
    const missing = ids.find((id) => !users.some((user) => user.id === id));
    if (missing !== undefined) throw unknownUser(missing);
    const rows = await toUserRows(tx, users);
    const owned = await tx.key.findMany({ where: { userId: { in: ids } }, select: keyColumns });
    await tx.key.deleteMany({ where: { token: { in: owned.map((key) => key.token) } } });
    await tx.teamMember.deleteMany({ where: { userId: { in: ids } } });
    await tx.user.deleteMany({ where: { id: { in: ids } } });
    for (const key of owned) {
      await writeAudit(tx, actor, { action: "delete", objectType: "key", objectId: key.token, before: toKeyRow(key) });
    }
    for (const row of rows) {
      await writeAudit(tx, actor, { action: "delete", objectType: "user", objectId: row.user_id, before: row });
    }
    return owned;
  });
  for (const key of keys) forgetKey(key.token);
  for (const id of ids) forgetUser(id);
  await announceCallbacks(keys.flatMap((key) => key.callbacks.map((callback) => callback.id)));
  return ids.length;
}
