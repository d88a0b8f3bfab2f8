import type { Database } from "#lib/db.ts";
import { inTransaction } from "#lib/in-transaction.ts";
import { forgetTeam } from "#keys/caller-cache.ts";
import type { Actor } from "#keys/actor.ts";
import { assertProxyAdmin } from "#keys/rights.ts";
import { writeAudit } from "#logging/audit.ts";
import { announceCallbacks } from "#logging/write-callbacks.ts";
import { lockTeam, teamColumns, teamNotFound, toTeamRow, type TeamRow } from "#teams/team-row.ts";

/**
 * Blocks all keys of a team or lets them be used again, from their next call on. For proxy administrators. Throws 404
 * for an unknown team.
 */
export async function blockTeam(
  db: Database["db"],
  actor: Actor,
  { teamId, blocked }: { teamId: string; blocked: boolean },
): Promise<TeamRow> {
  assertProxyAdmin(actor, "block teams");
  const row = await inTransaction(db, async (tx) => {
    const stored = await lockTeam(tx, teamId);
    if (!stored) throw teamNotFound(teamId);
    const data = { blocked };
    const after = toTeamRow(await tx.team.update({ where: { id: teamId }, data, select: teamColumns }));
    const action = blocked ? "block" : "unblock";
    const before = toTeamRow(stored);
    await writeAudit(tx, actor, { action, objectType: "team", objectId: teamId, before, after });
    return after;
  });
  forgetTeam(teamId);
  await announceCallbacks([]);
  return row;
}
