import { z } from "zod";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { nameCallbacks } from "#logging/name-callbacks.ts";
import { deliveryState } from "#logging/delivery.ts";
import { hideValues, openCallback, type OpenedCallback, type Viewer } from "#logging/open-callback.ts";
import type { DeliveryRow } from "#logging/queue/queue.ts";

/** Who asks. Everybody but an administrator sees the calls of his own key and team. */
export type DeliveryReader = Viewer & { keyHash: string | null; teamId: string | null };

/** What became of a record at one callback, as the wire shows it. */
export const ShownDelivery = z
  .object({
    record_id: z.string(),
    call_id: z.string(),
    callback_id: z.string(),
    callback_name: z.string().nullable().describe("Null where the callback was deleted."),
    state: z.enum(["queued", "delivered", "retrying", "dead", "suppressed"]),
    tries: z.number().int(),
    created_at: z.string(),
    due_at: z.string().nullable().describe("When it is tried next; null where it is settled."),
    settled_at: z.string().nullable(),
    status: z.number().int().nullable().describe("The destination's HTTP status; 0: no answer, null: not tried yet."),
    message: z.string().nullable().describe("The destination's words; null before the first try."),
  })
  .meta({ id: "Delivery" });
export type ShownDelivery = z.output<typeof ShownDelivery>;

/** What became of one call's log. */
export const CallDeliveries = z.object({ id: z.string(), deliveries: z.array(ShownDelivery) });
export type CallDeliveries = z.output<typeof CallDeliveries>;

/**
 * Tells what became of a call's log, by record id or call id. Throws the same `not_found` for a call that there is not,
 * that leaves no rows, and that is somebody else's.
 */
export async function findDeliveries(db: Db, reader: DeliveryReader, id: string): Promise<CallDeliveries> {
  const delivery = deliveryState.get();
  const found = [...(await delivery.find({ by: "record", id })), ...(await delivery.find({ by: "call", id }))];
  const unique = new Map(found.map((row) => [`${row.recordId} ${row.callbackId}`, row]));
  const rows = [...unique.values()].filter((row) => mayRead(row, reader));
  if (rows.length === 0)
    throw new AppError("not_found", "There is no delivery of a call with this id.", { param: "id" });
  const deliveries = await showDeliveries(db, rows, reader);
  return { id, deliveries };
}

/** Deliveries as the wire shows them: of the destination's words, what the operator set is hidden from others. */
export async function showDeliveries(db: Db, rows: readonly DeliveryRow[], viewer: Viewer): Promise<ShownDelivery[]> {
  const names = await nameCallbacks(
    db,
    rows.map(({ callbackId }) => callbackId),
  );
  const openings = new Map<string, Promise<OpenedCallback>>();
  function open(callbackId: string, callbackName: string): Promise<OpenedCallback> {
    const known = openings.get(callbackId) ?? openCallback(db, { callbackId, callbackName }, viewer);
    openings.set(callbackId, known);
    return known;
  }
  const shown: ShownDelivery[] = [];
  for (const row of rows) {
    const { callbackId, message } = row;
    const callbackName = names.get(callbackId) ?? null;
    // Of a deleted callback it is not known any more what in its words was the operator's.
    const isOpen = message === null || message === "" || (callbackName === null && viewer.isAdmin);
    const words = isOpen
      ? message
      : callbackName === null
        ? null
        : hideValues(message, await open(callbackId, callbackName));
    shown.push({ ...show(row), callback_name: callbackName, message: words });
  }
  return shown;
}

function mayRead(row: DeliveryRow, reader: DeliveryReader): boolean {
  if (reader.isAdmin) return true;
  const isOwnTeam = row.teamId !== null && row.teamId === reader.teamId;
  return isOwnTeam || (row.keyHash !== null && row.keyHash === reader.keyHash);
}

function show(row: DeliveryRow): Omit<ShownDelivery, "callback_name" | "message"> {
  const isTried = row.tries > 0 || row.status !== null;
  return {
    record_id: row.recordId,
    call_id: row.callId,
    callback_id: row.callbackId,
    state: row.state === "pending" ? (isTried ? "retrying" : "queued") : row.state,
    tries: row.tries,
    created_at: new Date(row.createdAtMs).toISOString(),
    due_at: row.state === "pending" ? new Date(row.dueAtMs).toISOString() : null,
    settled_at: row.settledAtMs === null ? null : new Date(row.settledAtMs).toISOString(),
    status: row.status,
  };
}
