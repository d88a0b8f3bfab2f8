import { setImmediate } from "node:timers/promises";
import { localConditions } from "#logging/queue/local-list.ts";
import { integerOf, integerOrNull, textOf } from "#logging/queue/local-row.ts";
import type { LocalStore } from "#logging/queue/local-store.ts";
import type { ReviseRequest } from "#logging/queue/queue.ts";

/** So many dead letters are changed in one transaction. */
const chunkRows = 500;

/** Makes the `revise` of a local queue: it changes dead letters in small transactions, and others get their turn. */
export function makeRevise(store: LocalStore) {
  const { file } = store;
  const replay = file.prepare(
    `UPDATE delivery SET state = 0, tries = 0, due_at_ms = ?1, age_from_ms = ?1, settled_at_ms = NULL WHERE id = ?2`,
  );
  const discard = file.prepare("UPDATE delivery SET state = 3, content_id = NULL, settled_at_ms = ?1 WHERE id = ?2");

  return async function revise({ filter, action, nowMs }: ReviseRequest): Promise<number> {
    const { conditions, values } = localConditions(filter);
    const where = ["state <> 0", "state = 2", ...conditions].join(" AND ");
    const dead = file.prepare(
      `SELECT id, record_id, d.callback AS callback, content_id
         FROM delivery d JOIN callback ON number = d.callback WHERE ${where} LIMIT ?`,
    );
    let revised = 0;
    for (;;) {
      const rows = dead.all(...values, chunkRows);
      if (rows.length === 0) return revised;
      store.write(() => {
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
      });
      revised += rows.length;
      await setImmediate();
    }
  };
}
