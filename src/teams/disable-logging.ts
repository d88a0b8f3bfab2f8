import { configState } from "#lib/config.ts";
import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction } from "#lib/in-transaction.ts";
import { forgetTeam } from "#keys/caller-cache.ts";
import type { Actor } from "#keys/actor.ts";
import { assertMayManageTeam } from "#keys/rights.ts";
import { writeAudit } from "#logging/audit.ts";
import { announceCallbacks } from "#logging/write-callbacks.ts";
import { applyLoggingState } from "#teams/apply-logging-state.ts";
import { noteDisable } from "#teams/note-disable.ts";
import { lockTeam, teamColumns, toTeamRow, unknownTeam } from "#teams/team-row.ts";

/**
 * Switches a team's logging off for good: its callbacks go, nothing of its calls is sent anywhere, and what was waiting
 * or in flight has ended when this resolves, in every gateway on this database. Doing it again changes nothing. For the
 * team's administrators. Throws 404 for an unknown team, 400 where `must_log` holds, and 503 where a live gateway does not
 * confirm; doing it again waits for it again.
 */
export async function disableLogging(db: Database["db"], actor: Actor, teamId: string): Promise<void> {
  await inTransaction(db, async (tx) => {
    const stored = await lockTeam(tx, teamId);
    await assertMayManageTeam(tx, actor, { teamId });
    if (!stored) throw unknownTeam(teamId, 404);
    assertMayDisable(stored);
    if (stored.loggingState === "disabled" && stored.callbacks.length === 0) return;
    if (stored.loggingState !== "disabled") await noteDisable(tx, actor, teamId);
    await tx.callback.deleteMany({ where: { teamId } });
    const data = { loggingState: "disabled" } as const;
    const after = toTeamRow(await tx.team.update({ where: { id: teamId }, data, select: teamColumns }));
    const before = toTeamRow(stored);
    await writeAudit(tx, actor, { action: "disable_logging", objectType: "team", objectId: teamId, before, after });
  });
  forgetTeam(teamId);
  await announceCallbacks([]);
  await applyLoggingState(db, teamId, "disabled");
}

/** Throws 400 where the operator demands that every call is logged, or every call of this team. */
export function assertMayDisable(team: { mustLog: boolean }): void {
  const isForAll = configState.get().general_settings.must_log;
  if (!isForAll && !team.mustLog) return;
  const what = isForAll ? "general_settings.must_log is set" : "must_log is set on the team";
  throw new AppError("bad_request", `Logging cannot be disabled: ${what}.`, { param: "must_log" });
}
