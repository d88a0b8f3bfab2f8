import type { Db } from "#lib/db.ts";
import type { Actor } from "#keys/actor.ts";
import { assertMayInspectTeam } from "#keys/rights.ts";
import { type ChangePage, listChanges } from "#teams/list-changes.ts";

/** Lists the changes of a team, of its dead letters and of the keys that it has now, or of one kind of them alone. */
export async function listTeamAudit(
  db: Db,
  actor: Actor,
  { teamId, page, action }: { teamId: string; page: number; action?: string | undefined },
): Promise<ChangePage> {
  await assertMayInspectTeam(db, actor, teamId);
  const keys = await db.key.findMany({ where: { teamId }, select: { token: true } });
  const OR = [
    { objectType: { in: ["team", "delivery"] }, objectId: teamId },
    { objectType: "key", objectId: { in: keys.map(({ token }) => token) } },
  ];
  return listChanges(db, { OR, ...(action === undefined ? {} : { action }) }, page);
}
