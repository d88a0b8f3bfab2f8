import type { Db } from "#lib/db.ts";
import type { Prisma } from "#lib/prisma/client.ts";
import type { Actor } from "#keys/actor.ts";
import { readableKeys } from "#keys/key-rights.ts";
import { keyColumns, toKeyRow, type KeyRow } from "#keys/key-row.ts";

const pageSize = 50;

/** One page of a team's keys, the newest first: those that the actor may read. `search` is part of alias or key name. */
export async function listTeamKeys(
  db: Db,
  actor: Actor,
  { teamId, search, page }: { teamId: string; search: string; page: number },
): Promise<{ keys: KeyRow[]; total: number; pages: number }> {
  const named = { contains: search, mode: "insensitive" } as const;
  const found = search === "" ? {} : { OR: [{ alias: named }, { keyName: named }, { userId: named }] };
  const where: Prisma.KeyWhereInput = { AND: [{ teamId }, await readableKeys(db, actor), found] };
  const total = await db.key.count({ where });
  const rows = await db.key.findMany({
    where,
    select: keyColumns,
    orderBy: [{ createdAt: "desc" }, { token: "asc" }],
    skip: (page - 1) * pageSize,
    take: pageSize,
  });
  return { keys: rows.map(toKeyRow), total, pages: Math.max(1, Math.ceil(total / pageSize)) };
}
