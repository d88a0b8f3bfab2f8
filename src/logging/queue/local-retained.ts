import type { SQLInputValue } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { Sealer } from "#logging/queue/local-append.ts";
import { integerOf, type SqlRow, textOf, textOrNull } from "#logging/queue/local-row.ts";
import type { LocalStore } from "#logging/queue/local-store.ts";
import { openBodies } from "#logging/queue/open-bodies.ts";
import type { RetainedPage, RetainedRecord, RetainedRequest } from "#logging/queue/queue.ts";

/** So many delivery ids are looked at in one go, and so many goes make a page at most. */
const windowIds = 4096;
const windowsMax = 64;

/** Makes the `retained` of a local queue. It looks at a bounded part of the file, and others get their turn in between. */
export function makeRetained(store: LocalStore, sealer: Sealer) {
  const { file } = store;
  const newest = file.prepare("SELECT coalesce(max(id), 0) AS id FROM delivery");
  const oldest = file.prepare("SELECT coalesce(min(id), 0) AS id FROM delivery");
  const contents = file.prepare(
    `SELECT DISTINCT content_id, number, sealed FROM content JOIN delivery USING (content_id)
       WHERE record_id = ? ORDER BY content_id`,
  );

  function open(row: SqlRow): RetainedRecord {
    const recordId = textOf(row, "record_id");
    const teamId = textOrNull(row, "team_id");
    const sealed = contents.all(recordId).flatMap((content) => {
      if (!(content.sealed instanceof Uint8Array)) return [];
      return [{ number: integerOf(content, "number"), sealed: content.sealed }];
    });
    return {
      ...{ recordId, teamId, callId: textOrNull(row, "call_id") ?? recordId, keyHash: textOrNull(row, "key_hash") },
      createdAtMs: integerOf(row, "created_at_ms"),
      bodies: openBodies(sealer.keyring, { recordId, teamId }, sealed),
    };
  }

  return async function retained(request: RetainedRequest): Promise<RetainedPage> {
    const first = integerOf(oldest.get() ?? {}, "id");
    const page: RetainedPage = { records: [], next: null };
    let end = Math.min(request.before ?? Number.MAX_SAFE_INTEGER, integerOf(newest.get() ?? {}, "id") + 1);
    let bytes = 0;
    for (let window = 0; window < windowsMax && end > first; window += 1) {
      const start = Math.max(first, end - windowIds);
      for (const row of select(store, request, { start, end, limit: request.limit - page.records.length })) {
        const record = open(row);
        bytes += record.bodies.reduce((sum, body) => sum + body.length, 0);
        if (page.records.length > 0 && bytes > request.bytesMax) return page;
        page.records.push(record);
        page.next = integerOf(row, "id");
      }
      if (page.records.length === request.limit) return page;
      end = start;
      page.next = end > first ? end : null;
      await setImmediate();
    }
    return page;
  };
}

/** Of a record's deliveries the first one with content stands for it, so that it is on one page. */
function select(
  store: LocalStore,
  request: RetainedRequest,
  { start, end, limit }: { start: number; end: number; limit: number },
) {
  const ofKeys = request.keyHashes ? "AND key_hash IN (SELECT value FROM json_each(?))" : "";
  const keyHashes: SQLInputValue[] = request.keyHashes ? [JSON.stringify(request.keyHashes)] : [];
  const text = `SELECT id, record_id, call_id, team_id, key_hash, created_at_ms FROM delivery AS d
    WHERE id >= ? AND id < ? AND content_id IS NOT NULL AND created_at_ms >= ? AND team_id IS ? ${ofKeys} AND (
      SELECT min(o.id) FILTER (WHERE o.content_id IS NOT NULL) = d.id AND count(*) FILTER (WHERE o.callback = ?) = 0
        FROM delivery AS o WHERE o.record_id = d.record_id)
    ORDER BY id DESC LIMIT ?`;
  const callback = store.findCallback(request.missingAt) ?? -1;
  const { createdFromMs, teamId } = request;
  return store.file.prepare(text).all(...[start, end, createdFromMs, teamId, ...keyHashes, callback, limit]);
}
