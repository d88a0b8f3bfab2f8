import { z } from "zod";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "#keys/actor.ts";
import { mayReadKey } from "#keys/key-rights.ts";
import { findKey, KeyRow, toKeyRow, toToken } from "#keys/key-row.ts";
import { unknownKey } from "#keys/update-key.ts";

/** What `GET /key/info` answers: the key as it was named, and its row without the hash. */
export const KeyInfo = z.object({ key: z.string(), info: KeyRow.omit({ token: true }) });
export type KeyInfo = z.output<typeof KeyInfo>;

/**
 * Reads a key, the one in use where none is named. Throws 403 for a key that the actor may not read (`mayReadKey`), be
 * it there or not, and 404 to who reads everything.
 */
export async function getKey(db: Db, actor: Actor, named: string | undefined): Promise<KeyInfo> {
  const key = named ?? actor.keyHash;
  if (key === null) throw unknownKey();
  const token = toToken(key);
  const stored = await findKey(db, token);
  if (!(await mayReadKey(db, actor, stored ?? { token, teamId: null, userId: null }))) throw notReadable(actor);
  if (!stored) throw unknownKey();
  const { token: _token, ...info } = toKeyRow(stored);
  return { key, info };
}

/** The refusal of a key that the actor may not read, or that there is not. */
export function notReadable(actor: Actor): AppError {
  return new AppError("forbidden", `You are not allowed to access this key's info. Your role=${actor.role}`, {
    param: "key",
  });
}
