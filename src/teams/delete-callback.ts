import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction } from "#lib/in-transaction.ts";
import { forgetTeam } from "#keys/caller-cache.ts";
import type { Actor } from "#keys/actor.ts";
import { assertMayManageTeam } from "#keys/rights.ts";
import { writeAudit } from "#logging/audit.ts";
import { announceCallbacks } from "#logging/write-callbacks.ts";
import { callbackNames, type CallbackNames } from "#teams/list-callbacks.ts";
import { lockTeam, teamColumns, toTeamRow, unknownTeam } from "#teams/team-row.ts";

/**
 * Removes every callback of this name from a team; what waits for them is suppressed. Without its last callback the
 * team says nothing any more, which is not the same as disabled. Throws 404 for an unknown team or callback.
 * For the team's administrators.
 */
export async function deleteCallback(
  db: Database["db"],
  actor: Actor,
  { teamId, callbackName }: { teamId: string; callbackName: string },
): Promise<CallbackNames> {
  const { removedIds, survivors } = await inTransaction(db, async (tx) => {
    const stored = await lockTeam(tx, teamId);
    await assertMayManageTeam(tx, actor, { teamId });
    if (!stored) throw unknownTeam(teamId, 404);
    const removed = stored.callbacks.filter((callback) => callback.callbackName === callbackName);
    if (removed.length === 0) throw notRegistered(teamId, callbackName);
    const ids = removed.map((callback) => callback.id);
    await tx.callback.deleteMany({ where: { id: { in: ids } } });
    const left = stored.callbacks.filter((callback) => !ids.includes(callback.id));
    const data = left.length === 0 ? ({ loggingState: "unset" } as const) : {};
    const after = toTeamRow(await tx.team.update({ where: { id: teamId }, data, select: teamColumns }));
    const before = toTeamRow(stored);
    await writeAudit(tx, actor, { action: "delete_callback", objectType: "team", objectId: teamId, before, after });
    return { removedIds: ids, survivors: left };
  });
  forgetTeam(teamId);
  await announceCallbacks(removedIds);
  return { team_id: teamId, ...callbackNames(survivors) };
}

function notRegistered(teamId: string, callbackName: string): AppError {
  const error = `callback_name = ${callbackName} is not registered for team_id = ${teamId}.`;
  return new AppError("not_found", error, { detail: { error } });
}
