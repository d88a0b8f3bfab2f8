import type { Db } from "#lib/db.ts";
import type { Actor } from "#keys/actor.ts";
import { deliveryState } from "#logging/delivery.ts";
import { listTeamCallbacks } from "#teams/list-team-callbacks.ts";

/** How many deliveries of a callback are kept in each state. */
export type CallbackDeliveries = {
  callback_id: string;
  pending: number;
  delivered: number;
  dead: number;
  suppressed: number;
};

/** Counts the deliveries of each of a team's callbacks that the queue still knows. */
export async function countTeamDeliveries(db: Db, actor: Actor, teamId: string): Promise<CallbackDeliveries[]> {
  const callbacks = await listTeamCallbacks(db, actor, teamId);
  const ids = callbacks.map(({ callback_id }) => callback_id);
  const counts = ids.length === 0 ? [] : await deliveryState.get().counts(ids);
  return callbacks.map(({ callback_id }) => {
    const own = counts.filter(({ callbackId }) => callbackId === callback_id);
    const of = (state: string): number => own.find((row) => row.state === state)?.count ?? 0;
    return {
      callback_id,
      pending: of("pending"),
      delivered: of("delivered"),
      dead: of("dead"),
      suppressed: of("suppressed"),
    };
  });
}
