import type { Db } from "#lib/db.ts";
import type { Actor } from "#keys/actor.ts";
import { assertMayInspectTeam } from "#keys/rights.ts";

/** One change as the portal shows it. What changed is given as the rows before and after, secrets masked. */
export type ShownChange = {
  id: string;
  at: string;
  actor: string;
  action: string;
  object_type: string;
  object_id: string;
  before: unknown;
  after: unknown;
};

const pageSize = 50;

/** Lists the changes of a team, of its dead letters and of the keys that it has now, the newest first, 50 a page. */
export async function listTeamAudit(
  db: Db,
  actor: Actor,
  { teamId, page }: { teamId: string; page: number },
): Promise<{ changes: ShownChange[]; total: number; pages: number }> {
  await assertMayInspectTeam(db, actor, teamId);
  const keys = await db.key.findMany({ where: { teamId }, select: { token: true } });
  const where = {
    OR: [
      { objectType: { in: ["team", "delivery"] }, objectId: teamId },
      { objectType: "key", objectId: { in: keys.map(({ token }) => token) } },
    ],
  };
  const total = await db.auditEntry.count({ where });
  const rows = await db.auditEntry.findMany({
    where,
    orderBy: [{ createdAt: "desc" }, { id: "desc" }],
    skip: (page - 1) * pageSize,
    take: pageSize,
    select: {
      id: true,
      createdAt: true,
      actor: true,
      action: true,
      objectType: true,
      objectId: true,
      before: true,
      after: true,
    },
  });
  const changes = rows.map(({ createdAt, objectType, objectId, ...row }) => ({
    ...row,
    at: createdAt.toISOString(),
    object_type: objectType,
    object_id: objectId,
  }));
  return { changes, total, pages: Math.max(1, Math.ceil(total / pageSize)) };
}
