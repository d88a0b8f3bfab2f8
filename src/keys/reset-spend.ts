import { z } from "zod";
import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction } from "#lib/in-transaction.ts";
import { forgetKey } from "#keys/caller-cache.ts";
import { keyColumns, KeyRow, toKeyRow, toToken } from "#keys/key-row.ts";
import { lockKey } from "#keys/lock-key.ts";
import type { Actor } from "#keys/actor.ts";
import { writeAudit } from "#logging/audit.ts";
import { announceCallbacks } from "#logging/write-callbacks.ts";

/** A key's spend before and after it was reset, in USD. */
export const SpendReset = KeyRow.pick({ spend: true, max_budget: true, budget_reset_at: true }).extend({
  key_hash: z.string(),
  previous_spend: z.number(),
});
export type SpendReset = z.output<typeof SpendReset>;

/**
 * Sets a key's recorded spend to a smaller amount. For administrators of its team or of all. Throws 404 for an unknown key and 400 for an amount that is negative
 * or more than was spent.
 */
export async function resetSpend(
  db: Database["db"],
  actor: Actor,
  { key, resetTo }: { key: string; resetTo: number },
): Promise<SpendReset> {
  if (resetTo < 0) throw refused(`reset_to must be >= 0. Received: ${String(resetTo)}`);
  const token = toToken(key);
  const { before, after } = await inTransaction(db, async (tx) => {
    const { stored: row, standing } = await lockKey(tx, actor, { token, route: "/key/update" });
    // The key in use constrains whoever uses it, administrators of the team too.
    const isConstrained = standing === "owner" || (standing === "team_admin" && actor.keyHash === token);
    if (isConstrained) throw new AppError("forbidden", "Only an administrator may reset the spend of a key.");
    const stored = toKeyRow(row);
    if (resetTo > stored.spend) {
      throw refused(`reset_to (${String(resetTo)}) must be <= current spend (${String(stored.spend)})`);
    }
    const data = { spend: resetTo, updatedBy: actor.userId };
    const changed = toKeyRow(await tx.key.update({ where: { token }, data, select: keyColumns }));
    const change = {
      action: "reset_spend",
      objectType: "key",
      objectId: token,
      before: stored,
      after: changed,
    } as const;
    await writeAudit(tx, actor, change);
    return { before: stored, after: changed };
  });
  forgetKey(token);
  await announceCallbacks([]);
  const { spend, max_budget, budget_reset_at } = after;
  return { key_hash: token, spend, previous_spend: before.spend, max_budget, budget_reset_at };
}

function refused(message: string): AppError {
  return new AppError("bad_request", message, { param: "reset_to" });
}
