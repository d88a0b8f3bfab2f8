import { forgetEveryCaller, forgetKey, forgetTeam, forgetUser } from "#keys/caller-cache.ts";
import type { Change } from "#lib/change-feed.ts";
import type { Database } from "#lib/db.ts";
import { deliveryState } from "#logging/delivery.ts";
import { followTeam, type TeamNews } from "#teams/follow-team.ts";
import { readDisables } from "#teams/read-disables.ts";

/** More teams or keys at once are not looked up one by one. */
const idsMax = 200;

/**
 * Drops what this process keeps of what others changed: callers, callbacks and their redactions in the delivery thread,
 * and which teams are disabled. Resolves when none of it is acted on any more: records of disabled teams are gone from
 * this process's queue and none is on its way.
 */
export async function followPolicy(db: Database["db"], changes: readonly Change[] | "everything"): Promise<void> {
  if (changes === "everything" || changes.length > idsMax) forgetAll();
  else forgetIds(changes);
  if (changes === "everything") await followEveryTeam(db);
  else {
    for (const news of teamNews(changes)) await followTeam(db, news);
    for (const callbackId of idsOf(changes, "callback_deleted")) {
      await deliveryState.get().suppressCallback(callbackId);
    }
  }
}

function forgetAll(): void {
  forgetEveryCaller();
  deliveryState.get().forgetCallbacks();
}

function forgetIds(changes: readonly Change[]): void {
  const [keyHashes, teamIds, callbackIds] = [
    idsOf(changes, "key"),
    idsOf(changes, "team"),
    [...idsOf(changes, "callback"), ...idsOf(changes, "callback_deleted")],
  ];
  for (const keyHash of keyHashes) forgetKey(keyHash);
  for (const teamId of teamIds) forgetTeam(teamId);
  for (const userId of idsOf(changes, "user")) forgetUser(userId);
  if (keyHashes.length + teamIds.length + callbackIds.length === 0) return;
  deliveryState.get().forgetCallbacks({ keyHashes, teamIds, callbackIds });
}

/** The teams that were disabled meanwhile, and those that may not be any more. */
function teamNews(changes: readonly Change[]): TeamNews[] {
  const disabled = changes.filter(({ subject }) => subject === "team_disabled");
  const news = new Map(disabled.map((change) => [change.subjectId, toNews(change)]));
  for (const teamId of idsOf(changes, "team")) {
    if (!news.has(teamId) && deliveryState.get().isDisabled(teamId)) news.set(teamId, { teamId });
  }
  return [...news.values()];
}

function toNews({ subjectId, createdAt }: Change): TeamNews {
  return { teamId: subjectId, disabledAt: createdAt };
}

/** Some changes are not known: every team's state is compared with what this process acts by. */
async function followEveryTeam(db: Database["db"]): Promise<void> {
  const { disabledTeamIds, purges } = await readDisables(db);
  for (const { teamId, createdBeforeMs } of purges) {
    await followTeam(db, { teamId, disabledAt: new Date(createdBeforeMs) });
  }
  const followed = new Set(purges.map(({ teamId }) => teamId));
  for (const teamId of new Set([...disabledTeamIds, ...deliveryState.get().disabledTeamIds()])) {
    if (!followed.has(teamId)) await followTeam(db, { teamId });
  }
}

function idsOf(changes: readonly Change[], subject: string): string[] {
  return [...new Set(changes.filter((change) => change.subject === subject).map(({ subjectId }) => subjectId))];
}
