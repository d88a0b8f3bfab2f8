import { z } from "zod";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Caller } from "#keys/caller.ts";
import { findKey, KeyRow, toKeyRow, toToken } from "#keys/key-row.ts";
import { unknownKey } from "#keys/update-key.ts";

/** What `GET /key/info` answers: the key as it was named, and its row without the hash. */
export const KeyInfo = z.object({ key: z.string(), info: KeyRow.omit({ token: true }) });
export type KeyInfo = z.output<typeof KeyInfo>;

/**
 * Reads a key, the caller's own where none is named. An administrator may read every key; a virtual key reads itself,
 * and learns nothing of whether another one exists.
 */
export async function getKey(db: Db, caller: Caller, named: string | undefined): Promise<KeyInfo> {
  const key = named ?? caller.keyHash;
  if (key === null) throw unknownKey();
  const token = toToken(key);
  if (caller.role !== "proxy_admin" && token !== caller.keyHash) {
    throw new AppError("forbidden", `You are not allowed to access this key's info. Your role=${caller.role}`, {
      param: "key",
    });
  }
  const stored = await findKey(db, token);
  if (!stored) throw unknownKey();
  const { token: _token, ...info } = toKeyRow(stored);
  return { key, info };
}
