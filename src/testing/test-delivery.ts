import { makeBackfill, type BackfillSource } from "#logging/backfill.ts";
import type { Delivery } from "#logging/delivery.ts";
import type { Queue } from "#logging/queue/queue.ts";

/** A delivery that keeps everything in a real queue and sends nothing; without `targetNow` it backfills nothing. */
export function makeTestDelivery(queue: Queue, targetNow: BackfillSource["targetNow"] = async () => null): Delivery {
  const disabled = new Set<string>();
  const backfill = makeBackfill({ queue, targetNow, isDisabled: (teamId) => disabled.has(teamId), keepMetadata: [] });
  return {
    append: async (entry) => {
      if (entry.teamId === null || !disabled.has(entry.teamId)) await queue.append([entry]);
    },
    async disableTeam(teamId) {
      disabled.add(teamId);
      return queue.purge({ teamId });
    },
    async enableTeam(teamId) {
      disabled.delete(teamId);
    },
    isDisabled: (teamId) => disabled.has(teamId),
    disabledTeamIds: () => [...disabled],
    purgeTeam: (request) => queue.purge(request),
    suppressCallback: (callbackId) => queue.purge({ callbackId }),
    forgetCallbacks: () => undefined,
    extendLease: () => undefined,
    find: (request) => queue.find(request),
    list: (request) => queue.list(request),
    revise: (request) => queue.revise(request),
    backfill: (request) => backfill.run(request),
    health: async () => [],
    counts: (callbackIds) => queue.find({ by: "counts", ...(callbackIds ? { callbackIds } : {}) }),
    sizes: () => queue.sizes(),
    unopened: async () => [],
    hurry: () => undefined,
    stop: () => queue.close(),
  };
}
