import { randomSlot } from "#logging/queue/database-append.ts";
import { databaseConditions } from "#logging/queue/database-list.ts";
import { waitingCondition } from "#logging/queue/filter-conditions.ts";
import { droppedContents, type Sweep } from "#logging/queue/database-sweep.ts";
import type { ReviseRequest } from "#logging/queue/queue.ts";

/** Makes the `revise` of a database queue: it works in small transactions. */
export function makeRevise(sweep: Sweep) {
  async function replayWaiting({ filter, nowMs }: ReviseRequest): Promise<number> {
    const { conditions, values } = databaseConditions(filter, [nowMs]);
    const where = ["state = 0", waitingCondition("$1::bigint"), ...conditions].join(" AND ");
    const { found } = await sweep({ where, values }, (query, ids) => query(hastenText, [ids, nowMs]));
    return found;
  }

  return async function revise(request: ReviseRequest): Promise<number> {
    const { filter, action, nowMs } = request;
    const { conditions, values } = databaseConditions(filter, []);
    const where = ["state <> 0", "state = 2", ...conditions].join(" AND ");
    const text = action === "replay" ? replayText : discardText;
    // First what waits: replayed dead letters wait too.
    const waiting = action === "replay" ? await replayWaiting(request) : 0;
    const { found } = await sweep({ where, values }, (query, ids) => query(text, [ids, nowMs, randomSlot()]));
    return waiting + found;
  };
}

/** A delivery that is being sent keeps its lease, and its answer counts. */
const hastenText = `
  UPDATE queue_delivery SET due_at_ms = $2::bigint, tries = 0, age_from_ms = $2::bigint
    WHERE id = ANY ($1::bigint[]) AND state = 0`;

const replayText = `
  WITH revived AS (
    UPDATE queue_delivery SET state = 0, tries = 0, due_at_ms = $2, age_from_ms = $2, settled_at_ms = NULL
      WHERE id = ANY ($1::bigint[]) RETURNING callback_id
  )
  INSERT INTO queue_count AS held (callback_id, slot, pending, dead)
    SELECT callback_id, $3::int, count(*), -count(*) FROM revived GROUP BY callback_id ORDER BY callback_id
    ON CONFLICT (callback_id, slot) DO UPDATE SET pending = held.pending + excluded.pending,
      dead = held.dead + excluded.dead`;

const discardText = `
  WITH gone AS MATERIALIZED (
    SELECT id, callback_id, record_id, content_id FROM queue_delivery WHERE id = ANY ($1::bigint[])
  ), discarded AS (
    UPDATE queue_delivery SET state = 3, content_id = NULL, settled_at_ms = $2 WHERE id = ANY ($1::bigint[])
  ), ${droppedContents}
  INSERT INTO queue_count AS held (callback_id, slot, dead, suppressed)
    SELECT callback_id, $3::int, -count(*), count(*) FROM gone GROUP BY callback_id ORDER BY callback_id
    ON CONFLICT (callback_id, slot) DO UPDATE SET dead = held.dead + excluded.dead,
      suppressed = held.suppressed + excluded.suppressed`;
