import type { QueuePool } from "#logging/queue/database-pool.ts";
import type { Sealer } from "#logging/queue/local-append.ts";
import { openBodies } from "#logging/queue/open-bodies.ts";
import type { RetainedPage, RetainedRequest } from "#logging/queue/queue.ts";

type RetainedRow = {
  id: number;
  record_id: string;
  call_id: string | null;
  team_id: string | null;
  key_hash: string | null;
  created_at_ms: number;
  bytes: number;
};

type ContentRow = { record_id: string; number: number; sealed: Buffer };

/** Makes the `retained` of a database queue. */
export function makeRetained(pool: QueuePool, sealer: Sealer) {
  async function open(rows: readonly RetainedRow[]): Promise<RetainedPage["records"]> {
    const recordIds = rows.map((row) => row.record_id);
    const contents = rows.length === 0 ? [] : await pool.query<ContentRow>(contentsText, [recordIds]);
    const byRecord = Map.groupBy(contents, (content) => content.record_id);
    return rows.map((row) => {
      const { record_id: recordId, team_id: teamId } = row;
      return {
        ...{ recordId, teamId, callId: row.call_id ?? recordId, keyHash: row.key_hash },
        createdAtMs: row.created_at_ms,
        bodies: openBodies(sealer.keyring, { recordId, teamId }, byRecord.get(recordId) ?? []),
      };
    });
  }

  return async function retained(request: RetainedRequest): Promise<RetainedPage> {
    const { teamId, keyHashes, createdFromMs, missingAt, before, limit, bytesMax } = request;
    const rows = await pool.query<RetainedRow>(toText(request), [
      ...[before ?? Number.MAX_SAFE_INTEGER, createdFromMs, missingAt, limit],
      ...(teamId === null ? [] : [teamId]),
      ...(keyHashes === undefined ? [] : [keyHashes]),
    ]);
    let bytes = 0;
    const fitting = rows.filter((row, index) => (bytes += row.bytes) <= bytesMax || index === 0);
    const isLast = rows.length < limit && fitting.length === rows.length;
    return { records: await open(fitting), next: isLast ? null : (fitting.at(-1)?.id ?? null) };
  };
}

/** Of a record's deliveries the first one with content stands for it, so that it is on one page. */
function toText({ teamId, keyHashes }: RetainedRequest): string {
  const ofTeam = teamId === null ? "team_id IS NULL" : "team_id = $5";
  const ofKeys = keyHashes === undefined ? "" : `AND key_hash = ANY ($${teamId === null ? "5" : "6"}::text[])`;
  return `
    SELECT id, record_id, call_id, team_id, key_hash, created_at_ms, bytes FROM queue_delivery AS d
      WHERE ${ofTeam} AND id < $1::bigint AND content_id IS NOT NULL AND created_at_ms >= $2::bigint ${ofKeys} AND (
        SELECT min(o.id) FILTER (WHERE o.content_id IS NOT NULL) = d.id AND count(*) FILTER (WHERE o.callback_id = $3) = 0
          FROM queue_delivery AS o WHERE o.record_id = d.record_id)
      ORDER BY id DESC LIMIT $4::int`;
}

const contentsText = `
  SELECT DISTINCT ON (c.content_id) d.record_id, c.number, c.sealed
    FROM queue_delivery AS d JOIN queue_content AS c USING (content_id) WHERE d.record_id = ANY ($1::text[])
    ORDER BY c.content_id`;
