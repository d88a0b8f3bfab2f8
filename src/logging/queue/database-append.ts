import type { QueuePool } from "#logging/queue/database-pool.ts";
import { countContents, type NewRows, toNewRows } from "#logging/queue/database-rows.ts";
import type { Sealer } from "#logging/queue/local-append.ts";
import type { QueueEntry } from "#logging/queue/queue.ts";

/** What the sequence of content ids steps by: so many ids belong to the process that took a number. */
const idBlock = 4096;

/** Writers spread over so many rows of counts. */
const countSlots = 8;

/** Calls wait for their commit: after this long the records go elsewhere. */
const appendTimeoutMs = 4_000;

/** Makes the `append` of a database queue, and the insert of rows in any state, which moving a queue needs. */
export function makeAppend(pool: QueuePool, sealer: Sealer) {
  const takeIds = makeIds(pool);

  async function insert({ deliveries, contents }: NewRows): Promise<void> {
    if (deliveries.length === 0) return;
    let start = 1;
    const starts = contents.map(({ sealed }) => (start += sealed.length) - sealed.length);
    await pool.query(
      insertText,
      [
        ...columns.map((name) => deliveries.map((delivery) => delivery[name])),
        contents.map(({ contentId }) => contentId),
        contents.map(({ number }) => number),
        contents.map(({ shared }) => shared),
        starts,
        contents.map(({ sealed }) => sealed.length),
        // One value for all of them: an array of bytes would travel as text.
        Buffer.concat(contents.map(({ sealed }) => sealed)),
        randomSlot(),
      ],
      { timeoutMs: appendTimeoutMs },
    );
  }

  async function append(entries: readonly QueueEntry[]): Promise<void> {
    try {
      const ids = await takeIds(countContents(entries));
      await insert(toNewRows(entries, ids, sealer));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`The database queue kept none of ${String(entries.length)} records: ${reason}`, { cause: error });
    }
  }

  return { append, insert, takeIds };
}

/** A slot for one write of counts. */
export function randomSlot(): number {
  return Math.floor(Math.random() * countSlots);
}

/** Hands out content ids that no other process has. */
function makeIds(pool: QueuePool): (count: number) => Promise<Iterator<number>> {
  let next = 0;
  let end = 0;
  return async (count) => {
    const taken: number[] = [];
    while (taken.length < count) {
      if (next === end) {
        const [row] = await pool.query<{ first: number }>("SELECT nextval('queue_content_id') AS first");
        next = row?.first ?? 0;
        end = next + idBlock;
      }
      taken.push(next);
      next += 1;
    }
    return taken.values();
  };
}

const columns = [
  ...["recordId", "callbackId", "state", "contentId", "bytes", "dueAtMs", "tries", "createdAtMs"],
  ...["ageFromMs", "settledAtMs", "status", "callId", "teamId", "keyHash", "message"],
] as const;

/** What is there already stays as it is; a content goes in with the first of its deliveries that is new. */
const insertText = `
  WITH added AS (
    INSERT INTO queue_delivery (record_id, callback_id, state, content_id, bytes, due_at_ms, tries, created_at_ms,
        age_from_ms, settled_at_ms, status, call_id, team_id, key_hash, message)
      SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::int[], $6::bigint[], $7::int[],
        $8::bigint[], $9::bigint[], $10::bigint[], $11::int[], $12::text[], $13::text[], $14::text[], $15::text[])
      ON CONFLICT (record_id, callback_id) DO NOTHING
      RETURNING callback_id, state, content_id
  ), stored AS (
    INSERT INTO queue_content (content_id, number, shared, sealed)
      SELECT content_id, number, shared, substring($21::bytea FROM start FOR bytes)
        FROM unnest($16::bigint[], $17::int[], $18::boolean[], $19::int[], $20::int[])
          AS content (content_id, number, shared, start, bytes)
        WHERE content_id IN (SELECT content_id FROM added)
  )
  INSERT INTO queue_count AS held (callback_id, slot, pending, delivered, dead, suppressed)
    SELECT callback_id, $22::int, count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1),
        count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE state = 3)
      FROM added GROUP BY callback_id ORDER BY callback_id
    ON CONFLICT (callback_id, slot) DO UPDATE SET pending = held.pending + excluded.pending,
      delivered = held.delivered + excluded.delivered, dead = held.dead + excluded.dead,
      suppressed = held.suppressed + excluded.suppressed`;
