import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "#keys/actor.ts";
import { assertMayInspectTeam } from "#keys/rights.ts";
import { toTeamCallback, type TeamCallback } from "#teams/team-callback.ts";
import { findTeam, unknownTeam } from "#teams/team-row.ts";

/** Lists a team's own callbacks one by one, in their order. Throws 404 for an unknown team. */
export async function listTeamCallbacks(db: Db, actor: Actor, teamId: string): Promise<TeamCallback[]> {
  await assertMayInspectTeam(db, actor, teamId);
  const team = await findTeam(db, teamId);
  if (!team) throw unknownTeam(teamId, 404);
  return team.callbacks.map(toTeamCallback);
}

/** Reads one callback of a team. Throws 404 where the team has none with this id. */
export async function getTeamCallback(
  db: Db,
  actor: Actor,
  { teamId, callbackId }: { teamId: string; callbackId: string },
): Promise<TeamCallback> {
  const callbacks = await listTeamCallbacks(db, actor, teamId);
  const found = callbacks.find((callback) => callback.callback_id === callbackId);
  if (!found) throw unknownCallback();
  return found;
}

/** The refusal of a callback that the team does not have. */
export function unknownCallback(): AppError {
  return new AppError("not_found", "The team has no such callback.", { param: "callbackId" });
}
