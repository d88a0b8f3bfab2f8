import { z } from "zod";
import type { Db } from "#lib/db.ts";
import type { Caller } from "#keys/caller.ts";
import { keyColumns, KeyRow, toKeyRow, toToken } from "#keys/key-row.ts";

/** What `POST /v2/key/info` answers: the keys as they were named, and the rows of those that the caller may read. */
export const KeysInfo = z.object({ key: z.array(z.string()), info: z.array(KeyRow) });
export type KeysInfo = z.output<typeof KeysInfo>;

/**
 * Reads several keys, in the order of their names. An administrator may read every key; a virtual key reads itself, and
 * of the others it learns nothing: they are left out, as unknown ones are.
 */
export async function getKeys(db: Db, caller: Caller, names: readonly string[]): Promise<KeysInfo> {
  const tokens = [...new Set(names.map(toToken))];
  const readable = caller.role === "proxy_admin" ? tokens : tokens.filter((token) => token === caller.keyHash);
  const rows = await db.key.findMany({ where: { token: { in: readable } }, select: keyColumns });
  const byToken = new Map(rows.map((row) => [row.token, toKeyRow(row)]));
  return { key: [...names], info: readable.flatMap((token) => byToken.get(token) ?? []) };
}
