import type { QueuePool, RunStatement } from "#logging/queue/database-pool.ts";
import { stateNumbers } from "#logging/queue/database-rows.ts";
import { lockContents } from "#logging/queue/database-settle.ts";

/** So many rows go in one transaction. */
const chunkRows = 1000;

type Found = { id: number; state: number; content_id: number | null };

/** Which rows of `queue_delivery` to change: a condition, its values, and whether rows that others hold are left out. */
export type Selection = { where: string; values: readonly unknown[]; lock?: "FOR UPDATE SKIP LOCKED" };

/** Changes what a selection finds chunk by chunk, until it finds nothing more; says how much it found. */
export type Sweep = (
  selection: Selection,
  change: (query: RunStatement, ids: number[]) => Promise<unknown>,
) => Promise<{ found: number; pending: number }>;

/** Makes the sweep of a pool. `change` must make that its rows are not found again. */
export function makeSweep(pool: QueuePool): Sweep {
  return async ({ where, values, lock = "FOR UPDATE" }, change) => {
    const sum = { found: 0, pending: 0 };
    const text = `SELECT id, state, content_id FROM queue_delivery WHERE ${where} ORDER BY id LIMIT ${chunkRows} ${lock}`;
    for (;;) {
      const found = await pool.transact(async (query) => {
        const rows = await query<Found>(text, values);
        if (rows.length === 0) return rows;
        const contentIds = rows.flatMap((row) => (row.content_id === null ? [] : [row.content_id]));
        await lockContents(query, contentIds);
        const ids = rows.map(({ id }) => id);
        await change(query, ids);
        return rows;
      });
      if (found.length === 0) return sum;
      sum.found += found.length;
      sum.pending += found.filter(({ state }) => state === stateNumbers.pending).length;
    }
  };
}

/** Part of a statement: removes the contents of the rows in `gone`, all of which are in $1, that no other row needs. */
export const droppedContents = `dropped AS (
    DELETE FROM queue_content AS c USING gone AS f
      WHERE c.content_id = f.content_id AND NOT EXISTS (
        SELECT 1 FROM queue_delivery AS o WHERE o.record_id = f.record_id AND o.content_id = f.content_id
          AND o.id <> ALL ($1::bigint[]))
  )`;
