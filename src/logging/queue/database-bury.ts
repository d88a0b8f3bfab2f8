import { randomSlot } from "#logging/queue/database-append.ts";
import type { Sweep } from "#logging/queue/database-sweep.ts";
import type { Queue } from "#logging/queue/queue.ts";

/** Makes the `buryAged` of a database queue. What another gateway has locked is left to it. */
export function makeBuryAged(sweep: Sweep): Queue["buryAged"] {
  return async ({ ageFromMs, nowMs, reason, failing }) => {
    const callbackIds = failing.map(({ callbackId }) => callbackId);
    const faults = [callbackIds, failing.map(({ status }) => status), failing.map(({ message }) => message)];
    const counts = new Map<string, number>();
    await sweep(
      { where, values: [ageFromMs, nowMs, callbackIds], lock: "FOR UPDATE SKIP LOCKED" },
      async (query, ids) => {
        const values = [ids, nowMs, reason, ...faults, randomSlot()];
        const buried = await query<{ callback_id: string; count: number }>(buryText, values);
        for (const { callback_id: id, count } of buried) counts.set(id, count + (counts.get(id) ?? 0));
      },
    );
    return [...counts].map(([callbackId, count]) => ({ callbackId, count }));
  };
}

const where = `state = 0 AND age_from_ms <= $1::bigint AND lease_until_ms <= $2::bigint
  AND (due_at_ms > $2::bigint OR callback_id = ANY ($3::text[]))`;

const buryText = `
  WITH aged AS MATERIALIZED (
    SELECT d.id, coalesce(d.status, fault.status, 0) AS status, coalesce(d.message, fault.message, '') AS answer
      FROM queue_delivery AS d
        LEFT JOIN unnest($4::text[], $5::int[], $6::text[]) AS fault (callback_id, status, message) USING (callback_id)
      WHERE d.id = ANY ($1::bigint[])
  ), buried AS (
    UPDATE queue_delivery AS d
      SET state = 2, settled_at_ms = $2::bigint, status = aged.status,
        message = $3::text || CASE answer WHEN '' THEN '' ELSE ' Last answer: ' || answer END,
        lease_id = 0, lease_until_ms = 0, lease_owner = NULL
      FROM aged WHERE d.id = aged.id AND d.state = 0
      RETURNING d.callback_id
  ), counted AS (
    INSERT INTO queue_count AS held (callback_id, slot, pending, dead)
      SELECT callback_id, $7::int, -count(*), count(*) FROM buried GROUP BY callback_id ORDER BY callback_id
      ON CONFLICT (callback_id, slot) DO UPDATE SET pending = held.pending + excluded.pending,
        dead = held.dead + excluded.dead
  )
  SELECT callback_id, count(*)::int AS count FROM buried GROUP BY callback_id`;
