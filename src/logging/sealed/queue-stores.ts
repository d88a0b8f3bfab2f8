import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { inTransaction, openLocalFile } from "#logging/queue/local-file.ts";
import { recoverFile } from "#logging/queue/local-open.ts";
import { rescuedPath } from "#logging/queue/local-rescue.ts";
import { integerOf, textOf, textOrNull } from "#logging/queue/local-row.ts";
import type { QueuePool } from "#logging/queue/database-pool.ts";
import { contentPlace } from "#logging/queue/queue-content.ts";
import type { SealedItem, SealedStore } from "#logging/sealed/sealed-store.ts";

const pageRows = 200;
/** Version, key, day, nonce and tag: no two sealed values share them. */
const headBytes = 35;

type Row = { id: number; record_id: string; team_id: string | null; content_id: number; number: number };

/** The contents of queued, dead and retained records in PostgreSQL. The walk follows the deliveries: they name the place. */
export function databaseQueueStore(pool: QueuePool): SealedStore {
  return {
    kind: "queued_content",
    async *pages() {
      for (let after = 0; ;) {
        const rows = await pool.query<Row & { sealed: Buffer }>(pageText, [after, pageRows]);
        const last = rows.at(-1);
        if (!last) return;
        yield rows.map(toItem);
        after = last.id;
      }
    },
    async replace(changes) {
      const rows = await pool.query(replaceText, [
        changes.map(({ item }) => item.row),
        changes.map(({ item }) => item.sealed.subarray(0, headBytes)),
        changes.map(({ sealed }) => sealed),
      ]);
      return rows.length;
    },
  };
}

/** The contents in the queue file of a data directory; `close` lets go of it. */
export type QueueFileStore = SealedStore & { close(): void };

/**
 * Opens the queue file; null if there is none. `mayWrite`: for this process alone, else only to read it before another
 * part of the process opens it. Throws if it cannot be opened.
 */
export function openQueueFileStore(path: string, { mayWrite }: { mayWrite: boolean }): QueueFileStore | null {
  // SQLite deletes the log of an emptied file, and with it what can be recovered.
  if ([path, `${path}-wal`, rescuedPath(path)].some((one) => existsSync(one))) recoverFile(path);
  if (!existsSync(path)) return null;
  const file = mayWrite ? openLocalFile(path) : new DatabaseSync(path, { readOnly: true, timeout: 2_000 });
  try {
    return toFileStore(file);
  } catch (error) {
    file.close();
    throw error;
  }
}

function toFileStore(file: DatabaseSync): QueueFileStore {
  const hasTables = file.prepare("SELECT 1 FROM sqlite_master WHERE name = 'delivery'").get() !== undefined;
  return {
    kind: "queue_file_content",
    async *pages() {
      if (!hasTables) return;
      const page = file.prepare(
        `SELECT d.id, record_id, team_id, content_id, number, sealed FROM delivery d JOIN content USING (content_id)
           WHERE d.id > ? ORDER BY d.id LIMIT ?`,
      );
      for (let after = 0; ;) {
        const rows = page.all(after, pageRows);
        const last = rows.at(-1);
        if (!last) return;
        yield rows.map((row) =>
          toItem({
            id: integerOf(row, "id"),
            record_id: textOf(row, "record_id"),
            team_id: textOrNull(row, "team_id"),
            content_id: integerOf(row, "content_id"),
            number: integerOf(row, "number"),
            sealed: row.sealed instanceof Uint8Array ? Buffer.from(row.sealed) : Buffer.alloc(0),
          }),
        );
        after = integerOf(last, "id");
      }
    },
    async replace(changes) {
      const update = file.prepare("UPDATE content SET sealed = ? WHERE content_id = ? AND sealed = ?");
      return inTransaction(file, () =>
        changes.reduce((sum, { item, sealed }) => sum + Number(update.run(sealed, item.row, item.sealed).changes), 0),
      );
    },
    close: () => {
      file.close();
    },
  };
}

function toItem(row: Row & { sealed: Buffer }): SealedItem {
  const { record_id: recordId, team_id: teamId, number } = row;
  return {
    id: `record ${recordId}`,
    row: String(row.content_id),
    field: String(number),
    sealed: row.sealed,
    place: contentPlace({ recordId, teamId, number }),
  };
}

const pageText = `
  SELECT d.id, d.record_id, d.team_id, content_id, c.number, c.sealed
    FROM queue_delivery AS d JOIN queue_content AS c USING (content_id)
    WHERE d.id > $1::bigint ORDER BY d.id LIMIT $2::int`;

const replaceText = `
  UPDATE queue_content AS c SET sealed = changed.sealed
    FROM unnest($1::bigint[], $2::bytea[], $3::bytea[]) AS changed (content_id, head, sealed)
    WHERE c.content_id = changed.content_id AND substring(c.sealed FROM 1 FOR ${String(headBytes)}) = changed.head
    RETURNING c.content_id`;
