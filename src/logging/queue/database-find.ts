import type { QueuePool } from "#logging/queue/database-pool.ts";
import { deliveryStates, type DeliveryCounts, type DeliveryRow, type DueCallback } from "#logging/queue/queue.ts";

/** The columns of a delivery that the contract shows. */
export type DeliveryColumns = {
  record_id: string;
  callback_id: string;
  call_id: string | null;
  team_id: string | null;
  key_hash: string | null;
  state: number;
  tries: number;
  created_at_ms: number;
  due_at_ms: number;
  settled_at_ms: number | null;
  status: number | null;
  message: string | null;
};

/** `DeliveryColumns` as a select list. */
export const deliveryColumns =
  "record_id, callback_id, call_id, team_id, key_hash, state, tries, created_at_ms, due_at_ms, settled_at_ms, " +
  "status, message";

/** Makes the look-ups of a database queue. */
export function makeFind(pool: QueuePool) {
  async function findRows({ by, id }: { by: "record" | "call"; id: string }): Promise<DeliveryRow[]> {
    const where = by === "record" ? "record_id = $1" : "call_id = $1 OR (record_id = $1 AND call_id IS NULL)";
    const text = `SELECT ${deliveryColumns} FROM queue_delivery WHERE ${where} ORDER BY id`;
    return (await pool.query<DeliveryColumns>(text, [id])).map(toDeliveryRow);
  }

  async function findDue(nowMs: number): Promise<DueCallback[]> {
    const rows = await pool.query<{ callback_id: string; due_at_ms: number }>(dueText, [nowMs]);
    return rows.map((row) => ({ callbackId: row.callback_id, dueAtMs: row.due_at_ms }));
  }

  async function findCounts(callbackIds?: readonly string[]): Promise<DeliveryCounts[]> {
    type Sums = { callback_id: string } & Record<DeliveryRow["state"], number>;
    const rows = callbackIds
      ? await pool.query<Sums>(countsText("WHERE callback_id = ANY ($1::text[])"), [callbackIds])
      : await pool.query<Sums>(countsText(""));
    return rows.flatMap((row) =>
      deliveryStates.flatMap((state) =>
        row[state] > 0 ? [{ callbackId: row.callback_id, state, count: row[state] }] : [],
      ),
    );
  }

  return { findRows, findDue, findCounts };
}

/** The contract's delivery of a row. */
export function toDeliveryRow(row: DeliveryColumns): DeliveryRow {
  const state = deliveryStates[row.state];
  if (state === undefined) throw new Error("The database queue is damaged: a state is out of range.");
  return {
    recordId: row.record_id,
    callId: row.call_id ?? row.record_id,
    callbackId: row.callback_id,
    teamId: row.team_id,
    keyHash: row.key_hash,
    state,
    tries: row.tries,
    createdAtMs: row.created_at_ms,
    dueAtMs: row.due_at_ms,
    settledAtMs: row.settled_at_ms,
    status: row.status,
    message: row.message,
  };
}

/** Steps from one callback to the next through the index, so that a long backlog of one costs nothing. */
const dueText = `
  WITH RECURSIVE waiting AS (
    (SELECT callback_id FROM queue_delivery WHERE state = 0 ORDER BY callback_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.callback_id FROM queue_delivery AS d WHERE d.state = 0 AND d.callback_id > waiting.callback_id
        ORDER BY d.callback_id LIMIT 1)
      FROM waiting WHERE waiting.callback_id IS NOT NULL
  )
  SELECT waiting.callback_id, first.due_at_ms FROM waiting CROSS JOIN LATERAL (
    SELECT due_at_ms FROM queue_delivery AS d
      WHERE d.callback_id = waiting.callback_id AND d.state = 0 AND d.due_at_ms <= $1 AND d.lease_until_ms <= $1
      ORDER BY d.due_at_ms, d.id LIMIT 1
  ) AS first ORDER BY first.due_at_ms, waiting.callback_id`;

const countsText = (where: string): string => `
  SELECT callback_id, sum(pending)::bigint AS pending, sum(delivered)::bigint AS delivered, sum(dead)::bigint AS dead,
      sum(suppressed)::bigint AS suppressed
    FROM queue_count ${where} GROUP BY callback_id ORDER BY callback_id`;
