import { randomSlot } from "#logging/queue/database-append.ts";
import type { DatabaseLeases } from "#logging/queue/database-leases.ts";
import type { QueuePool } from "#logging/queue/database-pool.ts";
import type { Sealer } from "#logging/queue/local-append.ts";
import { openContent } from "#logging/queue/queue-content.ts";
import type { ClaimedDelivery, ClaimRequest } from "#logging/queue/queue.ts";
import { noteUnopened } from "#logging/queue/unopened-contents.ts";

/** The parts of a database queue that claiming needs. `owner` names this process, for who looks at the leases. */
export type ClaimParts = { pool: QueuePool; leases: DatabaseLeases; sealer: Sealer; owner: string };

/** A delivery with its content, as it was handed out. */
type LeasedRow = {
  id: number;
  lease_id: number;
  record_id: string;
  team_id: string | null;
  key_hash: string | null;
  content_id: number | null;
  created_at_ms: number;
  age_from_ms: number;
  tries: number;
  number: number | null;
  shared: boolean | null;
  sealed: Buffer | null;
};

/** Makes the `claim` of a database queue. A delivery whose content does not open becomes dead and stops nobody. */
export function makeClaim({ pool, leases, sealer, owner }: ClaimParts) {
  async function claimOnce(request: ClaimRequest) {
    const { callbackId, nowMs, limit, bytesMax, leaseMs } = request;
    const untilMs = nowMs + leaseMs;
    const rows = await pool.query<LeasedRow>(claimText, [callbackId, nowMs, limit, bytesMax, untilMs, owner]);
    const claimed: ClaimedDelivery[] = [];
    const broken: { id: number; leaseId: number; message: string }[] = [];
    let bytes = 0;
    for (const [index, row] of rows.entries()) {
      // What was moved here was counted as it is stored, and may be far larger.
      if (bytes > bytesMax) {
        const left = rows.slice(index);
        await pool.query(leaveText, [left.map(({ id }) => id), left.map(({ lease_id: leaseId }) => leaseId)]);
        break;
      }
      try {
        claimed.push({ deliveryId: row.lease_id, callbackId, ...openRow(row, sealer) });
        bytes += claimed.at(-1)?.body.length ?? 0;
        const { id, record_id: recordId } = row;
        leases.add(row.lease_id, {
          ...{ id, recordId, contentId: row.content_id ?? 0, shared: row.shared ?? true, untilMs },
        });
      } catch (error) {
        noteUnopened(row.record_id, error);
        const reason = error instanceof Error ? error.message : String(error);
        broken.push({ id: row.id, leaseId: row.lease_id, message: `The queued content cannot be opened: ${reason}` });
      }
    }
    return { claimed, broken };
  }

  return async function claim(request: ClaimRequest): Promise<ClaimedDelivery[]> {
    for (;;) {
      const { claimed, broken } = await claimOnce(request);
      if (broken.length > 0) {
        const values = [broken.map(({ id }) => id), broken.map(({ leaseId }) => leaseId)];
        await pool.query(buryText, [
          ...[...values, broken.map(({ message }) => message), request.nowMs, request.callbackId, randomSlot()],
        ]);
      }
      // Nothing but broken ones so far: look further.
      if (claimed.length > 0 || broken.length === 0) return claimed;
    }
  };
}

function openRow(row: LeasedRow, sealer: Sealer) {
  const { record_id: recordId, team_id: teamId, number, sealed } = row;
  if (number === null || sealed === null) throw new Error("it is missing from the queue.");
  return {
    ...{
      recordId,
      teamId,
      keyHash: row.key_hash,
      createdAtMs: row.created_at_ms,
      ageFromMs: row.age_from_ms,
      tries: row.tries,
    },
    body: openContent(sealer.keyring, { recordId, teamId, number }, sealed),
  };
}

/** Rows that another claim is about to hand out are passed over, not waited for. */
const claimText = `
  WITH due AS MATERIALIZED (
    SELECT id, bytes, due_at_ms FROM queue_delivery
      WHERE callback_id = $1 AND state = 0 AND due_at_ms <= $2 AND lease_until_ms <= $2
      ORDER BY due_at_ms, id LIMIT $3 FOR UPDATE SKIP LOCKED
  ), counted AS (
    SELECT id, due_at_ms, sum(bytes) OVER line AS bytes, row_number() OVER line AS place
      FROM due WINDOW line AS (ORDER BY due_at_ms, id)
  ), leased AS (
    UPDATE queue_delivery AS d
      SET lease_id = nextval('queue_lease_id'), lease_until_ms = $5, lease_owner = $6
      FROM counted WHERE d.id = counted.id AND (counted.place = 1 OR counted.bytes <= $4)
      RETURNING d.id, d.due_at_ms, d.lease_id, d.record_id, d.team_id, d.key_hash, d.content_id, d.created_at_ms,
        d.age_from_ms, d.tries
  )
  SELECT leased.*, number, shared, sealed FROM leased LEFT JOIN queue_content USING (content_id)
    ORDER BY due_at_ms, id`;

/** What was leased and not taken is due as before. */
const leaveText = `
  UPDATE queue_delivery SET lease_id = 0, lease_until_ms = 0, lease_owner = NULL
    WHERE id = ANY ($1::bigint[]) AND lease_id = ANY ($2::bigint[])`;

const buryText = `
  WITH buried AS (
    UPDATE queue_delivery AS d
      SET state = 2, settled_at_ms = $4, status = 0, message = broken.message, lease_id = 0, lease_until_ms = 0
      FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS broken (id, lease_id, message)
      WHERE d.id = broken.id AND d.lease_id = broken.lease_id AND d.state = 0
      RETURNING d.id
  )
  INSERT INTO queue_count AS held (callback_id, slot, pending, dead)
    SELECT $5, $6::int, -count(*), count(*) FROM buried
    ON CONFLICT (callback_id, slot) DO UPDATE SET pending = held.pending + excluded.pending,
      dead = held.dead + excluded.dead`;
