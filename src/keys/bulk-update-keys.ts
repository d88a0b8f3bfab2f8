import { z } from "zod";
import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { currentLogger } from "#lib/logger.ts";
import { findKey, KeyRow, toKeyRow, toToken } from "#keys/key-row.ts";
import type { BulkUpdateKeys, UpdateKey } from "#keys/key.ts";
import { assertProxyAdmin } from "#keys/rights.ts";
import { updateKey } from "#keys/update-key.ts";
import type { Actor } from "#keys/actor.ts";

const keysMax = 500;

/** What became of each key of a bulk update, named as it was passed. */
export const BulkUpdate = z.object({
  total_requested: z.number().int(),
  successful_updates: z.array(z.object({ key: z.string(), key_info: KeyRow })),
  failed_updates: z.array(z.object({ key: z.string(), key_info: KeyRow.nullable(), failed_reason: z.string() })),
});
export type BulkUpdate = z.output<typeof BulkUpdate>;

/**
 * Updates up to 500 keys one by one, each in a transaction of its own: one that fails leaves the others alone. For
 * proxy administrators. Throws
 * 400 for none and for more.
 */
export async function bulkUpdateKeys(db: Database["db"], actor: Actor, { keys }: BulkUpdateKeys): Promise<BulkUpdate> {
  assertProxyAdmin(actor, "update keys in bulk");
  if (keys.length === 0) throw refused("No keys provided for update");
  if (keys.length > keysMax) {
    throw refused(`Maximum ${String(keysMax)} keys can be updated at once. Found ${String(keys.length)} keys`);
  }
  const result: BulkUpdate = { total_requested: keys.length, successful_updates: [], failed_updates: [] };
  for (const item of keys) {
    try {
      const { key, ...key_info } = await updateKey(db, actor, item);
      result.successful_updates.push({ key, key_info });
    } catch (error) {
      result.failed_updates.push(await toFailure(db, item, error));
    }
  }
  return result;
}

async function toFailure(
  db: Database["db"],
  { key }: UpdateKey,
  error: unknown,
): Promise<BulkUpdate["failed_updates"][number]> {
  if (!(error instanceof AppError)) {
    currentLogger().error({ error: String(error) }, "a key of a bulk update could not be changed");
    return { key, key_info: null, failed_reason: "Internal Server Error" };
  }
  const stored = await findKey(db, toToken(key));
  return { key, key_info: stored && toKeyRow(stored), failed_reason: error.message };
}

function refused(message: string): AppError {
  return new AppError("bad_request", message, { param: "keys" });
}
