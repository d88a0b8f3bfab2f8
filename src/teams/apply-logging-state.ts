import type { Db } from "#lib/db.ts";
import { deliveryState } from "#logging/delivery.ts";

type Wanted = "disabled" | "enabled";

/**
 * After a commit: makes the delivery follow a team's state, and resolves once it does. A deleted team counts as
 * disabled, so that calls of its keys that are still under way leave nothing. Two writes may commit in one order and
 * arrive here in the other, so the stored state is read again until it agrees with what was applied last.
 */
export async function applyLoggingState(db: Db, teamId: string, written: Wanted): Promise<void> {
  let applied = written;
  await apply(teamId, applied);
  for (let stored = await read(db, teamId); stored !== applied; stored = await read(db, teamId)) {
    applied = stored;
    await apply(teamId, applied);
  }
}

async function apply(teamId: string, state: Wanted): Promise<void> {
  const delivery = deliveryState.get();
  if (state === "disabled") await delivery.disableTeam(teamId);
  else if (delivery.isDisabled(teamId)) await delivery.enableTeam(teamId);
}

async function read(db: Db, teamId: string): Promise<Wanted> {
  const team = await db.team.findUnique({ where: { id: teamId }, select: { loggingState: true } });
  return team === null || team.loggingState === "disabled" ? "disabled" : "enabled";
}
