import type { Db } from "#lib/db.ts";
import type { Actor } from "#keys/actor.ts";
import { notReadable } from "#keys/get-key.ts";
import { mayReadKey } from "#keys/key-rights.ts";
import { isProxyAdmin } from "#keys/rights.ts";
import { toToken } from "#keys/key-row.ts";
import { readCaller } from "#keys/read-caller.ts";
import { unknownKey } from "#keys/update-key.ts";
import { getEffectiveLogging, type EffectiveLogging } from "#logging/effective-logging.ts";
import type { Environment } from "#logging/resolve-callback.ts";

/** Whose logging is shown: the key in use, or one that is named by its text or hash. */
export type NamedKey = { key: string | undefined; env: Environment };

/**
 * Tells where the logs of a key go and why, of the key in use where none is named (without one, of calls with the master
 * key). Throws as `getKey`.
 */
export async function getKeyLogging(db: Db, actor: Actor, { key, env }: NamedKey): Promise<EffectiveLogging> {
  const token = key === undefined ? actor.keyHash : toToken(key);
  const viewer = { isAdmin: isProxyAdmin(actor), env };
  if (token === null) return getEffectiveLogging(db, { keyHash: null, teamId: null, disabledCallbacks: [] }, viewer);
  const owner = await readCaller(db, token);
  const named = { token: owner?.keyHash ?? token, teamId: owner?.teamId ?? null, userId: owner?.userId ?? null };
  if (!(await mayReadKey(db, actor, named))) throw notReadable(actor);
  if (!owner) throw unknownKey();
  return getEffectiveLogging(db, owner, viewer);
}
