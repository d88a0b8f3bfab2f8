import type { SQLInputValue } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { waitingCondition } from "#logging/queue/filter-conditions.ts";
import { localConditions } from "#logging/queue/local-list.ts";
import { integerOf, integerOrNull, type SqlRow, textOf } from "#logging/queue/local-row.ts";
import type { LocalStore } from "#logging/queue/local-store.ts";
import type { ReviseRequest } from "#logging/queue/queue.ts";

/** So many dead letters are changed in one transaction. */
const chunkRows = 500;
/** So many delivery ids are searched for waiting ones at once. */
const windowIds = 4096;

/** Makes the `revise` of a local queue. It works in small transactions, and other work gets its turn in between. */
export function makeRevise(store: LocalStore) {
  const replayWaiting = makeReplayWaiting(store);
  const { file } = store;
  const replay = file.prepare(
    `UPDATE delivery SET state = 0, tries = 0, due_at_ms = ?1, age_from_ms = ?1, settled_at_ms = NULL WHERE id = ?2`,
  );
  const discard = file.prepare("UPDATE delivery SET state = 3, content_id = NULL, settled_at_ms = ?1 WHERE id = ?2");

  function reviseRows(rows: readonly SqlRow[], { action, nowMs }: ReviseRequest): void {
    for (const row of rows) {
      (action === "replay" ? replay : discard).run(nowMs, integerOf(row, "id"));
      store.count(integerOf(row, "callback"), "dead", -1);
      store.count(integerOf(row, "callback"), action === "replay" ? "pending" : "suppressed", 1);
    }
    if (action === "replay") return;
    store.dropContents(
      rows.flatMap((row) => {
        const contentId = integerOrNull(row, "content_id");
        return contentId === null ? [] : [{ contentId, recordId: textOf(row, "record_id") }];
      }),
    );
  }

  return async function revise(request: ReviseRequest): Promise<number> {
    const { conditions, values } = localConditions(request.filter);
    const where = ["state <> 0", "state = 2", ...conditions].join(" AND ");
    const dead = file.prepare(
      `SELECT id, record_id, d.callback AS callback, content_id
         FROM delivery d JOIN callback ON number = d.callback WHERE ${where} LIMIT ?`,
    );
    // First what waits: replayed dead letters wait too.
    let revised = request.action === "replay" ? await replayWaiting(request) : 0;
    for (;;) {
      const rows = dead.all(...values, chunkRows);
      if (rows.length === 0) return revised;
      store.write(() => {
        reviseRows(rows, request);
      });
      revised += rows.length;
      await setImmediate();
    }
  };
}

/** Makes what is tried or waits due now. By record it goes through an index, else through a part of the file at a time. */
function makeReplayWaiting(store: LocalStore) {
  const { file } = store;
  const bounds = file.prepare("SELECT coalesce(min(id), 0) AS first, coalesce(max(id), -1) AS last FROM delivery");

  return async function replayWaiting({ filter, nowMs }: ReviseRequest): Promise<number> {
    const { conditions, values } = localConditions(filter);
    const waits = ["state = 0", waitingCondition("?"), ...conditions].join(" AND ");
    const found = (index: string, range: string): string =>
      `SELECT id FROM delivery d ${index} CROSS JOIN callback ON number = d.callback WHERE ${range}${waits}`;
    const change = file.prepare(
      `UPDATE delivery SET due_at_ms = ?1, tries = 0, age_from_ms = ?1
         WHERE id IN (SELECT value FROM json_each(?2))`,
    );
    function make(rows: readonly SqlRow[]): number {
      const ids = JSON.stringify(rows.map((row) => integerOf(row, "id")));
      if (rows.length > 0) store.write(() => change.run(nowMs, ids));
      return rows.length;
    }
    if (filter.recordIds) return make(file.prepare(found("", "")).all(nowMs, ...values));
    const select = file.prepare(found("NOT INDEXED", "id >= ? AND id < ? AND "));
    const row = bounds.get() ?? {};
    let revised = 0;
    for (let first = integerOf(row, "first"); first <= integerOf(row, "last"); first += windowIds) {
      const range: SQLInputValue[] = [first, first + windowIds];
      revised += make(select.all(...range, nowMs, ...values));
      await setImmediate();
    }
    return revised;
  };
}
