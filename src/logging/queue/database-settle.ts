import { toStorableText } from "#lib/storable.ts";
import { randomSlot } from "#logging/queue/database-append.ts";
import type { DatabaseLease, DatabaseLeases } from "#logging/queue/database-leases.ts";
import type { QueuePool, RunStatement } from "#logging/queue/database-pool.ts";
import { stateNumbers } from "#logging/queue/database-rows.ts";
import type { Settlement } from "#logging/queue/queue.ts";

type Leased = { settlement: Settlement; lease: DatabaseLease };

/**
 * Makes the `settle` of a database queue. A settlement whose lease is not the newest of its delivery, or whose delivery
 * was removed, changes nothing. Delivered and dead ones count the try.
 */
export function makeSettle(pool: QueuePool, leases: DatabaseLeases, { keepsContent }: { keepsContent: boolean }) {
  const settleText = toSettleText({ dropsContent: !keepsContent });
  return async function settle(settlements: readonly Settlement[], nowMs: number): Promise<void> {
    const leased: Leased[] = settlements.flatMap((settlement) => {
      const lease = leases.take(settlement.deliveryId);
      return lease === undefined ? [] : [{ settlement, lease }];
    });
    if (leased.length === 0) return;
    const values = toValues(leased, nowMs);
    const shared = keepsContent ? [] : leased.flatMap(({ lease }) => (lease.shared ? [lease.contentId] : []));
    try {
      if (shared.length === 0) await pool.query(settleText, values);
      else {
        await pool.transact(async (query) => {
          await lockContents(query, shared);
          await query(settleText, values);
        });
      }
    } catch (error) {
      // Whoever settles again, when the database is back, still has the leases.
      for (const { settlement, lease } of leased) leases.add(settlement.deliveryId, lease);
      throw error;
    }
  };
}

/**
 * Locks contents that several deliveries share, so that of two transactions that end the last two of them the second one
 * sees what the first has done, and removes the content.
 */
export async function lockContents(query: RunStatement, contentIds: readonly number[]): Promise<void> {
  await query("SELECT 1 FROM queue_content WHERE content_id = ANY($1::bigint[]) ORDER BY content_id FOR UPDATE", [
    contentIds,
  ]);
}

function toValues(leased: readonly Leased[], nowMs: number): unknown[] {
  const { answers, numbers } = toAnswers(leased);
  return [
    leased.map(({ lease }) => lease.id),
    leased.map(({ settlement }) => settlement.deliveryId),
    leased.map(({ lease }) => lease.contentId),
    numbers,
    answers.map(({ state }) => stateNumbers[state === "released" ? "pending" : state]),
    answers.map((answer) => (answer.state === "pending" ? answer.dueAtMs : null)),
    answers.map((answer) => (isTry(answer) ? 1 : 0)),
    answers.map((answer) => (answer.state === "released" ? null : answer.status)),
    answers.map((answer) => (answer.state === "released" ? null : toStorableText(answer.message))),
    ...[nowMs, randomSlot()],
  ];
}

function isTry(answer: Settlement): boolean {
  return answer.state === "pending" ? answer.counted : answer.state !== "released";
}

/** Most records of a batch get the same answer: each distinct one travels once, and every record has its number. */
function toAnswers(leased: readonly Leased[]): { answers: Settlement[]; numbers: number[] } {
  const known = new Map<string, number>();
  const answers: Settlement[] = [];
  const numbers = leased.map(({ settlement }) => {
    const wait = settlement.state === "pending" ? [settlement.dueAtMs, settlement.counted] : [];
    const words = settlement.state === "released" ? [] : [settlement.status, ...wait, settlement.message];
    const name = [settlement.state, ...words].join(" ");
    const number = known.get(name) ?? answers.push(settlement);
    known.set(name, number);
    return number;
  });
  return { answers, numbers };
}

function toSettleText({ dropsContent }: { dropsContent: boolean }): string {
  return `
  WITH changed AS (
    UPDATE queue_delivery AS d SET
        state = a.state, tries = d.tries + a.tries, status = coalesce(a.status, d.status),
        message = coalesce(a.message, d.message),
        due_at_ms = coalesce(a.due_at_ms, d.due_at_ms),
        settled_at_ms = CASE a.state WHEN 0 THEN NULL ELSE $10::bigint END,
        content_id = CASE WHEN a.state = 1 AND ${String(dropsContent)} THEN NULL ELSE d.content_id END,
        lease_id = 0, lease_until_ms = 0, lease_owner = NULL
      FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[]) AS s (id, lease_id, content_id, answer)
        JOIN unnest($5::int[], $6::bigint[], $7::int[], $8::int[], $9::text[]) WITH ORDINALITY
          AS a (state, due_at_ms, tries, status, message, number) ON a.number = s.answer
      WHERE d.id = s.id AND d.lease_id = s.lease_id AND d.state = 0
      RETURNING d.id, d.callback_id, d.record_id, d.state, s.content_id
  ), delivered AS MATERIALIZED (
    SELECT id, record_id, content_id FROM changed WHERE state = 1 AND ${String(dropsContent)}
  ), dropped AS (
    DELETE FROM queue_content AS c USING delivered AS f
      WHERE c.content_id = f.content_id AND (NOT c.shared OR NOT EXISTS (
        SELECT 1 FROM queue_delivery AS o WHERE o.record_id = f.record_id AND o.content_id = f.content_id
          AND o.id NOT IN (SELECT id FROM delivered)))
  )
  INSERT INTO queue_count AS held (callback_id, slot, pending, delivered, dead)
    SELECT callback_id, $11::int, -count(*), count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2)
      FROM changed WHERE state <> 0 GROUP BY callback_id ORDER BY callback_id
    ON CONFLICT (callback_id, slot) DO UPDATE SET pending = held.pending + excluded.pending,
      delivered = held.delivered + excluded.delivered, dead = held.dead + excluded.dead`;
}
