import { z } from "zod";
import type { Db } from "#lib/db.ts";
import type { Actor } from "#keys/actor.ts";
import { isProxyAdmin } from "#keys/rights.ts";
import { deliveryState } from "#logging/delivery.ts";
import { showDeliveries, ShownDelivery } from "#logging/find-deliveries.ts";
import { deliveryStates } from "#logging/queue/queue.ts";
import { deliveryTeams, selectionShape, toFilter } from "#teams/delivery-selection.ts";

/** Which deliveries to list, and which page of them. */
export const ListDeliveries = z.object({
  ...selectionShape,
  record_id: z.string().min(1).max(512).optional(),
  state: z.enum(deliveryStates).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional()
    .describe("The `next_cursor` of the page before."),
});
export type ListDeliveries = z.output<typeof ListDeliveries>;

/** A page of deliveries, the newest first. */
export const DeliveryPage = z.object({
  deliveries: z.array(ShownDelivery.extend({ team_id: z.string().nullable() })),
  next_cursor: z
    .string()
    .nullable()
    .describe("Where the next page begins; null: this is the last. A page may be short, or empty, before the last."),
});
export type DeliveryPage = z.output<typeof DeliveryPage>;

/**
 * Lists deliveries of the teams that the actor administers, or of all for who reads everything. Throws 403 for a team
 * that is not his.
 */
export async function listDeliveries(
  db: Db,
  { actor, env }: { actor: Actor; env: Readonly<Record<string, string | undefined>> },
  query: ListDeliveries,
): Promise<DeliveryPage> {
  const { record_id: recordId, state, limit, cursor, team_id: teamId, ...selection } = query;
  const teams = await deliveryTeams(db, actor, { teamId, to: "read" });
  const filter = {
    ...toFilter(selection),
    ...teams,
    ...(recordId === undefined ? {} : { recordIds: [recordId] }),
    ...(state === undefined ? {} : { states: [state] }),
  };
  const { rows, next } = await deliveryState
    .get()
    .list({ filter, before: cursor === undefined ? null : Number(cursor), limit });
  const shown = await showDeliveries(db, rows, { isAdmin: isProxyAdmin(actor), env });
  return {
    deliveries: shown.map((delivery, index) => ({ ...delivery, team_id: rows[index]?.teamId ?? null })),
    next_cursor: next === null ? null : String(next),
  };
}
