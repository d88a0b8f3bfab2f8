import { z } from "zod";
import type { Db } from "#lib/db.ts";
import type { Actor } from "#keys/actor.ts";
import { readableKeys } from "#keys/key-rights.ts";
import { keyColumns, KeyRow, toKeyRow, toToken } from "#keys/key-row.ts";

/** What `POST /v2/key/info` answers: the keys as they were named, and the rows of those that the caller may read. */
export const KeysInfo = z.object({ key: z.array(z.string()), info: z.array(KeyRow) });
export type KeysInfo = z.output<typeof KeysInfo>;

/**
 * Reads several keys, in the order of their names. Those that the actor may not read are left out, as unknown ones are.
 */
export async function getKeys(db: Db, actor: Actor, names: readonly string[]): Promise<KeysInfo> {
  const tokens = [...new Set(names.map(toToken))];
  const where = { AND: [{ token: { in: tokens } }, await readableKeys(db, actor)] };
  const rows = await db.key.findMany({ where, select: keyColumns });
  const byToken = new Map(rows.map((row) => [row.token, toKeyRow(row)]));
  return { key: [...names], info: tokens.flatMap((token) => byToken.get(token) ?? []) };
}
