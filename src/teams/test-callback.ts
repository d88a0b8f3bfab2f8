import type { Db } from "#lib/db.ts";
import { newRecordId } from "#lib/id.ts";
import type { Actor } from "#keys/actor.ts";
import { assertMayManageTeam, isProxyAdmin } from "#keys/rights.ts";
import type { CallbackVars } from "#logging/callback.ts";
import { checkDestination, type DestinationCheck } from "#logging/check-destination.ts";
import { checkEntry } from "#logging/check-plan.ts";
import { openCallback, openGiven } from "#logging/open-callback.ts";
import type { Environment } from "#logging/resolve-callback.ts";
import { findCallback, planUpdate } from "#teams/update-callback.ts";
import { findTeam, unknownTeam } from "#teams/team-row.ts";
import { toTeamVars } from "#teams/team-vars.ts";

/** A callback as it would be saved; `callbackId` names the stored one whose masked secrets it keeps. */
export type TestCallback = {
  teamId: string;
  callbackId: string | null;
  callback_name: string;
  callback_vars: CallbackVars;
};

/**
 * Asks a destination, before it is saved, whether it takes records. For the team's administrators. Throws as
 * `addCallback` for variables that do not fit, so that the test reaches no address that could not be saved.
 */
export async function testCallback(
  db: Db,
  actor: Actor,
  { env, ...input }: TestCallback & { env: Environment },
): Promise<DestinationCheck> {
  const { teamId, callbackId, callback_name: callbackName, callback_vars } = input;
  await assertMayManageTeam(db, actor, { teamId });
  const team = await findTeam(db, teamId);
  if (!team) throw unknownTeam(teamId, 404);
  const entry =
    callbackId === null
      ? { id: newRecordId(), callbackName, callbackType: null, callbackVars: toTeamVars(callback_vars) }
      : planUpdate(findCallback(team.callbacks, callbackId), { callback_type: "success_and_failure", callback_vars });
  await checkEntry(entry, actor);
  return checkDestination(openGiven(entry, { isAdmin: isProxyAdmin(actor), env }));
}

/** Asks the destination of a stored callback of a team whether it takes records now. Throws 404 for an unknown one. */
export async function checkTeamCallback(
  db: Db,
  actor: Actor,
  { teamId, callbackId, env }: { teamId: string; callbackId: string; env: Environment },
): Promise<DestinationCheck> {
  await assertMayManageTeam(db, actor, { teamId });
  const team = await findTeam(db, teamId);
  if (!team) throw unknownTeam(teamId, 404);
  const { callbackName } = findCallback(team.callbacks, callbackId);
  return checkDestination(await openCallback(db, { callbackId, callbackName }, { isAdmin: isProxyAdmin(actor), env }));
}
