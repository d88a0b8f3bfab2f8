import type { Delivery } from "#logging/delivery.ts";
import type { Queue } from "#logging/queue/queue.ts";

/** A delivery that keeps everything in a real queue and sends nothing. */
export function makeTestDelivery(queue: Queue): Delivery {
  const disabled = new Set<string>();
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
    health: async () => [],
    counts: () => queue.find({ by: "counts" }),
    stop: () => queue.close(),
  };
}
