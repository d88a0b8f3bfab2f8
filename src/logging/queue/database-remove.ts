import { randomSlot } from "#logging/queue/database-append.ts";
import type { QueuePool, RunStatement } from "#logging/queue/database-pool.ts";
import { droppedContents, type Sweep } from "#logging/queue/database-sweep.ts";
import { stateNumbers } from "#logging/queue/database-rows.ts";
import type { PurgeRequest, Queue } from "#logging/queue/queue.ts";

/** Makes `purge` and `expire` of a database queue. Both work in small transactions and can be repeated after a crash. */
export function makeRemove(pool: QueuePool, sweep: Sweep, now: () => Date) {
  async function purge(request: PurgeRequest): Promise<number> {
    if (!("callbackId" in request)) {
      const teams = "teams" in request ? request.teams : [request];
      if (teams.length === 0) return 0;
      const teamIds = teams.map(({ teamId }) => teamId);
      const beforeMs = teams.map(({ createdBeforeMs = Number.MAX_SAFE_INTEGER }) => createdBeforeMs);
      return (await sweep({ where: ofTeams, values: [teamIds, beforeMs] }, deleteRows)).pending;
    }
    const pendingOf = { where: "callback_id = $1 AND state = 0", values: [request.callbackId] };
    const { pending } = await sweep(pendingOf, (query, ids) =>
      query(suppressText, [ids, now().getTime(), randomSlot()]),
    );
    return pending;
  }

  async function expire(request: Parameters<Queue["expire"]>[0]): Promise<number> {
    const lock = "FOR UPDATE SKIP LOCKED";
    const retained = "state = 1 AND content_id IS NOT NULL AND created_at_ms < $1";
    await sweep({ where: retained, values: [request.contentBeforeMs], lock }, (query, ids) => query(letGoText, [ids]));
    let removed = 0;
    for (const [name, state] of Object.entries(stateNumbers)) {
      if (name === "pending") continue;
      const beforeMs = name === "dead" ? request.deadBeforeMs : request.deliveredBeforeMs;
      const where = "state <> 0 AND state = $1 AND settled_at_ms < $2";
      removed += (await sweep({ where, values: [state, beforeMs], lock }, deleteRows)).found;
    }
    await dropEmptyCounts(pool);
    return removed;
  }

  return { purge, expire };
}

function deleteRows(query: RunStatement, ids: number[]): Promise<unknown> {
  return query(deleteText, [ids, randomSlot()]);
}

/** Forgets the counts of callbacks that have no delivery left. They are locked, so no writer's change is lost. */
async function dropEmptyCounts(pool: QueuePool): Promise<void> {
  const emptyText =
    "SELECT callback_id FROM queue_count GROUP BY callback_id " +
    "HAVING sum(pending) = 0 AND sum(delivered) = 0 AND sum(dead) = 0 AND sum(suppressed) = 0 LIMIT 1000";
  for (const { callback_id: callbackId } of await pool.query<{ callback_id: string }>(emptyText)) {
    await pool.transact(async (query) => {
      await query("SELECT 1 FROM queue_count WHERE callback_id = $1 ORDER BY slot FOR UPDATE", [callbackId]);
      const left = await query(emptyText.replace("GROUP BY", "WHERE callback_id = $1 GROUP BY"), [callbackId]);
      if (left.length > 0) await query("DELETE FROM queue_count WHERE callback_id = $1", [callbackId]);
    });
  }
}

/** One query for all teams; the first condition is what the index of teams answers. */
const ofTeams = `team_id = ANY ($1::text[]) AND created_at_ms < (
  SELECT max(before_ms) FROM unnest($1::text[], $2::bigint[]) AS team (id, before_ms) WHERE id = team_id)`;

const deleteText = `
  WITH gone AS (
    DELETE FROM queue_delivery WHERE id = ANY ($1::bigint[]) RETURNING id, callback_id, state, record_id, content_id
  ), ${droppedContents}
  INSERT INTO queue_count AS held (callback_id, slot, pending, delivered, dead, suppressed)
    SELECT callback_id, $2::int, -count(*) FILTER (WHERE state = 0), -count(*) FILTER (WHERE state = 1),
        -count(*) FILTER (WHERE state = 2), -count(*) FILTER (WHERE state = 3)
      FROM gone GROUP BY callback_id ORDER BY callback_id
    ON CONFLICT (callback_id, slot) DO UPDATE SET pending = held.pending + excluded.pending,
      delivered = held.delivered + excluded.delivered, dead = held.dead + excluded.dead,
      suppressed = held.suppressed + excluded.suppressed`;

const letGoText = `
  WITH gone AS MATERIALIZED (
    SELECT id, record_id, content_id FROM queue_delivery WHERE id = ANY ($1::bigint[])
  ), ${droppedContents}
  UPDATE queue_delivery SET content_id = NULL WHERE id = ANY ($1::bigint[])`;

const suppressText = `
  WITH gone AS MATERIALIZED (
    SELECT id, callback_id, record_id, content_id FROM queue_delivery WHERE id = ANY ($1::bigint[])
  ), suppressed AS (
    UPDATE queue_delivery SET state = 3, content_id = NULL, settled_at_ms = $2, lease_id = 0, lease_until_ms = 0,
        lease_owner = NULL
      WHERE id = ANY ($1::bigint[])
  ), ${droppedContents}
  INSERT INTO queue_count AS held (callback_id, slot, pending, suppressed)
    SELECT callback_id, $3::int, -count(*), count(*) FROM gone GROUP BY callback_id ORDER BY callback_id
    ON CONFLICT (callback_id, slot) DO UPDATE SET pending = held.pending + excluded.pending,
      suppressed = held.suppressed + excluded.suppressed`;
