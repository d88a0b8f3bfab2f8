import { toStorableText } from "#lib/storable.ts";
import type { NewContent, NewDelivery, NewRows } from "#logging/queue/database-rows.ts";
import { DamagedQueue, integerOf, integerOrNull, type SqlRow, textOf, textOrNull } from "#logging/queue/local-row.ts";
import type { LocalStore } from "#logging/queue/local-store.ts";
import { deliveryStates } from "#logging/queue/queue.ts";

/** Rows of a local queue on their way into another one. Their contents have no ids yet. */
export type MovingRows = {
  /** The numbers of the deliveries in the file. */
  ids: number[];
  /** The records that they belong to. */
  recordIds: string[];
  /** How many content ids `toRows` takes. */
  contents: number;
  toRows(contentIds: Iterator<number>): NewRows;
};

/** What moving a local queue into another one needs. Nothing of it may be handed out meanwhile. */
export type LocalMoves = {
  isEmpty(): boolean;
  /**
   * The oldest records with all their deliveries, in any state; their content stays sealed as it is. Records in `except`
   * are left out.
   */
  peek(except?: ReadonlySet<string>): MovingRows;
  /** One record with all its deliveries. */
  peekRecord(recordId: string): MovingRows;
  /** Removes deliveries that have been moved, with their content. */
  forget(ids: readonly number[]): void;
};

const recordsMax = 200;
const bytesMax = 4_000_000;

/** Makes the moves of a local queue. */
export function makeMoves(store: LocalStore): LocalMoves {
  const statements = prepareStatements(store);

  function oldestRecords(except: ReadonlySet<string> | undefined): string[] {
    const records = new Set<string>();
    let bytes = 0;
    for (const row of statements.oldest.iterate()) {
      if (except?.has(textOf(row, "record_id")) === true) continue;
      bytes += integerOf(row, "bytes");
      if (records.size > 0 && bytes > bytesMax) break;
      records.add(textOf(row, "record_id"));
      if (records.size === recordsMax) break;
    }
    return [...records];
  }

  function rowsOf(recordIds: string[]): MovingRows {
    const rows = recordIds.flatMap((recordId) => statements.ofRecord.all(recordId));
    const contentIds = new Set(rows.flatMap((row) => integerOrNull(row, "content_id") ?? []));
    return {
      recordIds,
      ids: rows.map((row) => integerOf(row, "id")),
      contents: contentIds.size,
      toRows: (ids) => toNewRows(rows, [...contentIds], ids),
    };
  }

  return {
    isEmpty: () => statements.any.get() === undefined,
    peek: (except) => rowsOf(oldestRecords(except)),
    peekRecord: (recordId) => rowsOf([recordId]),
    forget(ids) {
      store.write(() => {
        const contents = ids.flatMap((id) => {
          const row = statements.forget.get(id);
          if (row === undefined) return [];
          store.count(integerOf(row, "callback"), stateOf(row), -1);
          const contentId = integerOrNull(row, "content_id");
          return contentId === null ? [] : [{ contentId, recordId: textOf(row, "record_id") }];
        });
        store.dropContents(contents);
      });
    },
  };

  function toNewRows(rows: readonly SqlRow[], contentIds: readonly number[], ids: Iterator<number>): NewRows {
    const contents = new Map<number, NewContent>();
    for (const oldId of contentIds) {
      const row = statements.content.get(oldId);
      if (row === undefined || !(row.sealed instanceof Uint8Array)) continue;
      const shared = rows.filter((other) => other.content_id === oldId).length > 1;
      const content = { contentId: Number(ids.next().value), number: integerOf(row, "number"), shared };
      contents.set(oldId, { ...content, sealed: Buffer.from(row.sealed) });
    }
    return { deliveries: rows.map((row) => toNewDelivery(row, contents)), contents: [...contents.values()] };
  }
}

function toNewDelivery(row: SqlRow, contents: ReadonlyMap<number, NewContent>): NewDelivery {
  const oldId = integerOrNull(row, "content_id");
  const content = oldId === null ? undefined : contents.get(oldId);
  const message = textOrNull(row, "message");
  return {
    recordId: textOf(row, "record_id"),
    callbackId: textOf(row, "callback_id"),
    state: integerOf(row, "state"),
    contentId: content?.contentId ?? null,
    bytes: content?.sealed.length ?? 0,
    dueAtMs: integerOf(row, "due_at_ms"),
    tries: integerOf(row, "tries"),
    createdAtMs: integerOf(row, "created_at_ms"),
    ageFromMs: integerOrNull(row, "age_from_ms") ?? integerOf(row, "created_at_ms"),
    settledAtMs: integerOrNull(row, "settled_at_ms"),
    status: integerOrNull(row, "status"),
    callId: textOrNull(row, "call_id"),
    teamId: textOrNull(row, "team_id"),
    keyHash: textOrNull(row, "key_hash"),
    message: message === null ? null : toStorableText(message),
  };
}

function stateOf(row: SqlRow) {
  const state = deliveryStates[integerOf(row, "state")];
  if (state === undefined) throw new DamagedQueue('"state" is out of range.');
  return state;
}

function prepareStatements({ file }: LocalStore) {
  return {
    any: file.prepare("SELECT 1 AS one FROM delivery LIMIT 1"),
    oldest: file.prepare(
      `SELECT record_id, coalesce(length(sealed), 0) AS bytes
         FROM delivery d LEFT JOIN content c ON c.content_id = d.content_id ORDER BY id`,
    ),
    ofRecord: file.prepare(
      `SELECT d.*, c.callback_id FROM delivery d JOIN callback c ON c.number = d.callback
         WHERE d.record_id = ? ORDER BY id`,
    ),
    content: file.prepare("SELECT number, sealed FROM content WHERE content_id = ?"),
    forget: file.prepare("DELETE FROM delivery WHERE id = ? RETURNING callback, state, content_id, record_id"),
  };
}
