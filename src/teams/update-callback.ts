import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction } from "#lib/in-transaction.ts";
import type { Actor } from "#keys/actor.ts";
import { forgetTeam } from "#keys/caller-cache.ts";
import { assertMayManageTeam } from "#keys/rights.ts";
import { writeAudit } from "#logging/audit.ts";
import type { CallbackType, CallbackVars } from "#logging/callback.ts";
import { checkEntry } from "#logging/check-plan.ts";
import { planCallbacks, type PlannedCallback } from "#logging/plan-callbacks.ts";
import type { StoredCallback } from "#logging/stored-callback.ts";
import { announceCallbacks, writeCallback } from "#logging/write-callbacks.ts";
import { unknownCallback } from "#teams/list-team-callbacks.ts";
import { findTeam, lockTeam, teamColumns, toTeamRow, unknownTeam } from "#teams/team-row.ts";
import { toTeamCallback, type TeamCallback } from "#teams/team-callback.ts";
import { toTeamVars } from "#teams/team-vars.ts";

/** The new content of a callback. A secret that is given as its mask stays, unless the target changes. */
export type UpdateCallback = {
  teamId: string;
  callbackId: string;
  /** The version that was edited. */
  version: number;
  callback_type: CallbackType;
  callback_vars: CallbackVars;
};

/**
 * Changes one callback of a team; it keeps its id, so what waits for it is sent by the new version. For the team's
 * administrators. Throws 404 for an unknown callback, 409 where somebody else changed it meanwhile, 400 where the target
 * changed and a secret was not given again, and as `addCallback` for variables that do not fit.
 */
export async function updateCallback(db: Database["db"], actor: Actor, input: UpdateCallback): Promise<TeamCallback> {
  const { teamId, callbackId } = input;
  await assertMayManageTeam(db, actor, { teamId });
  const team = await findTeam(db, teamId);
  if (!team) throw unknownTeam(teamId, 404);
  const planned = planUpdate(findCallback(team.callbacks, callbackId), input);
  await checkEntry(planned, actor);
  const row = await inTransaction(db, async (tx) => {
    const stored = await lockTeam(tx, teamId);
    if (!stored) throw unknownTeam(teamId, 404);
    await assertMayManageTeam(tx, actor, { teamId });
    if (findCallback(stored.callbacks, callbackId).version !== input.version) throw changedMeanwhile();
    await writeCallback(tx, { teamId, keyToken: null }, planned);
    const after = await tx.team.findUniqueOrThrow({ where: { id: teamId }, select: teamColumns });
    const change = {
      objectType: "team",
      objectId: teamId,
      before: toTeamRow(stored),
      after: toTeamRow(after),
    } as const;
    await writeAudit(tx, actor, { action: "update_callback", ...change });
    return findCallback(after.callbacks, callbackId);
  });
  forgetTeam(teamId);
  await announceCallbacks([]);
  return toTeamCallback(row);
}

/** What a write makes of a stored callback. Throws 400 where a mask stands for nothing. */
export function planUpdate(
  row: StoredCallback,
  { callback_type: callbackType, callback_vars }: Pick<UpdateCallback, "callback_type" | "callback_vars">,
): PlannedCallback {
  const entry = { callbackName: row.callbackName, callbackType, callbackVars: toTeamVars(callback_vars) };
  const { planned, lostMasks } = planCallbacks([row], [entry]);
  const lost = lostMasks.map((name) => name.slice(name.lastIndexOf(".") + 1));
  if (lost.length > 0) {
    const message = `Where the records go has changed: give ${lost.join(" and ")} again.`;
    throw new AppError("bad_request", message, { param: `callback_vars.${String(lost[0])}` });
  }
  const [callback] = planned;
  if (!callback) throw new Error("A plan has one callback per entry.");
  return { ...callback, position: row.position, change: "changed", version: row.version + 1 };
}

/** The callback with this id. Throws 404 where it is not among them. */
export function findCallback(callbacks: readonly StoredCallback[], callbackId: string): StoredCallback {
  const found = callbacks.find((callback) => callback.id === callbackId);
  if (!found) throw unknownCallback();
  return found;
}

function changedMeanwhile(): AppError {
  return new AppError("conflict", "Somebody else changed this callback meanwhile. Reload it and change it again.", {
    param: "version",
  });
}
