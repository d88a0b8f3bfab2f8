import type { Db } from "#lib/db.ts";
import type { Actor } from "#keys/actor.ts";
import { readableKeys } from "#keys/key-rights.ts";

/** A key that ends soon; `name` is its alias, or what lists show of it. */
export type ExpiringKey = { token: string; name: string; expires: string };

const withinMs = 7 * 86_400_000;

/** Lists a team's keys that end within a week, the next first: 20 at most, of those that the actor may read. */
export async function listExpiringKeys(
  db: Db,
  actor: Actor,
  { teamId, now = new Date() }: { teamId: string; now?: Date },
): Promise<ExpiringKey[]> {
  const soon = { expires: { gt: now, lt: new Date(now.getTime() + withinMs) } };
  const rows = await db.key.findMany({
    where: { AND: [{ teamId, ...soon }, await readableKeys(db, actor)] },
    orderBy: { expires: "asc" },
    take: 20,
    select: { token: true, alias: true, keyName: true, expires: true },
  });
  return rows.flatMap(({ token, alias, keyName, expires }) =>
    expires === null ? [] : [{ token, name: alias ?? keyName, expires: expires.toISOString() }],
  );
}
