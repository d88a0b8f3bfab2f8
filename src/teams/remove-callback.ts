import type { Database } from "#lib/db.ts";
import { inTransaction } from "#lib/in-transaction.ts";
import type { Actor } from "#keys/actor.ts";
import { forgetTeam } from "#keys/caller-cache.ts";
import { assertMayManageTeam } from "#keys/rights.ts";
import { writeAudit } from "#logging/audit.ts";
import { announceCallbacks } from "#logging/write-callbacks.ts";
import { lockTeam, teamColumns, toTeamRow, unknownTeam } from "#teams/team-row.ts";
import { findCallback } from "#teams/update-callback.ts";

/**
 * Removes one callback of a team; what waits for it is suppressed. Without its last one the team says nothing any more.
 * For the team's administrators. Throws 404 for an unknown team or callback.
 */
export async function removeCallback(
  db: Database["db"],
  actor: Actor,
  { teamId, callbackId }: { teamId: string; callbackId: string },
): Promise<void> {
  await inTransaction(db, async (tx) => {
    const stored = await lockTeam(tx, teamId);
    await assertMayManageTeam(tx, actor, { teamId });
    if (!stored) throw unknownTeam(teamId, 404);
    const { id } = findCallback(stored.callbacks, callbackId);
    await tx.callback.delete({ where: { id }, select: { id: true } });
    const data = stored.callbacks.length === 1 ? ({ loggingState: "unset" } as const) : {};
    const after = toTeamRow(await tx.team.update({ where: { id: teamId }, data, select: teamColumns }));
    const before = toTeamRow(stored);
    await writeAudit(tx, actor, { action: "delete_callback", objectType: "team", objectId: teamId, before, after });
  });
  forgetTeam(teamId);
  await announceCallbacks([callbackId]);
}
