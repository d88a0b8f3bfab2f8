import type { Database } from "#lib/db.ts";
import { confirmEverywhere } from "#lib/replicas.ts";
import { deliveryState } from "#logging/delivery.ts";
import { awaitDisable } from "#teams/confirm-disable.ts";
import { followTeam, type Wanted } from "#teams/follow-team.ts";

/**
 * After a commit: makes the delivery of every live gateway follow a team's state, and resolves once all do. Throws
 * `unavailable` where a live one has not said so in 20 s; the write stands then, and doing it again waits again.
 */
export async function applyLoggingState(db: Database["db"], teamId: string, written: Wanted): Promise<void> {
  const isSwitchedOn = written === "enabled" && deliveryState.get().isDisabled(teamId);
  await followTeam(db, { teamId, written });
  if (written === "disabled") await awaitDisable(db, teamId);
  else if (isSwitchedOn) await confirmEverywhere(db);
}
