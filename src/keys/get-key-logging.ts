import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Caller } from "#keys/caller.ts";
import { toToken } from "#keys/key-row.ts";
import { readCaller } from "#keys/read-caller.ts";
import { unknownKey } from "#keys/update-key.ts";
import { getEffectiveLogging, type EffectiveLogging } from "#logging/effective-logging.ts";
import type { Environment } from "#logging/resolve-callback.ts";

/** Whose logging is shown: the caller's own key, or one that an administrator names by its text or hash. */
export type NamedKey = { key: string | undefined; env: Environment };

/**
 * Tells where the logs of a key go and why. An administrator may name any key; a virtual key sees itself, and learns
 * nothing of whether another one exists.
 */
export async function getKeyLogging(db: Db, caller: Caller, { key, env }: NamedKey): Promise<EffectiveLogging> {
  const isAdmin = caller.role === "proxy_admin";
  const token = key === undefined ? caller.keyHash : toToken(key);
  if (!isAdmin && token !== caller.keyHash) {
    const message = `You are not allowed to access this key's info. Your role=${caller.role}`;
    throw new AppError("forbidden", message, { param: "key" });
  }
  const owner = key === undefined || token === null ? caller : await readCaller(db, token);
  if (!owner) throw unknownKey();
  return getEffectiveLogging(db, owner, { isAdmin, env });
}
