import type { Database } from "#lib/db.ts";
import { stateCell } from "#lib/state.ts";
import { deliveryState } from "#logging/delivery.ts";
import { confirmDisable } from "#teams/confirm-disable.ts";

/** Whether a team's calls may be logged. A deleted team's may not: calls of its keys may still be under way. */
export type Wanted = "disabled" | "enabled";

/** What is known of a team's state before it is read. */
export type TeamNews = {
  teamId: string;
  /** What was just committed by this process. */
  written?: Wanted;
  /** Until when the team was disabled at least once: what its calls before left is removed. */
  disabledAt?: Date;
};

const queueCell = stateCell<Map<string, Promise<void>>>("team-states");

/**
 * Makes the delivery of this process follow a team's stored state, and resolves once it does. One at a time per team:
 * two writes may commit in one order and arrive here in the other, so the state is read until it agrees.
 */
export async function followTeam(db: Database["db"], news: TeamNews): Promise<void> {
  const queue = queueCell.find() ?? new Map<string, Promise<void>>();
  queueCell.set(queue);
  const before = queue.get(news.teamId) ?? Promise.resolve();
  const done = before.catch(() => undefined).then(() => follow(db, news));
  queue.set(news.teamId, done);
  try {
    await done;
  } finally {
    if (queue.get(news.teamId) === done) queue.delete(news.teamId);
  }
}

async function follow(db: Database["db"], { teamId, written, disabledAt }: TeamNews): Promise<void> {
  let applied: Wanted | null = null;
  if (written !== undefined) {
    await apply(db, teamId, written);
    applied = written;
  }
  for (let stored = await read(db, teamId); stored !== applied; stored = await read(db, teamId)) {
    if (stored === "enabled" && disabledAt && applied !== "disabled") {
      await deliveryState.get().purgeTeam({ teamId, createdBeforeMs: disabledAt.getTime() });
    }
    await apply(db, teamId, stored);
    applied = stored;
  }
}

async function apply(db: Database["db"], teamId: string, state: Wanted): Promise<void> {
  const delivery = deliveryState.get();
  if (state === "disabled") await confirmDisable(db, teamId, await delivery.disableTeam(teamId));
  else if (delivery.isDisabled(teamId)) await delivery.enableTeam(teamId);
}

async function read(db: Database["db"], teamId: string): Promise<Wanted> {
  const team = await db.team.findUnique({ where: { id: teamId }, select: { loggingState: true } });
  return team === null || team.loggingState === "disabled" ? "disabled" : "enabled";
}
