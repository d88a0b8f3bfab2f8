import type { SQLInputValue } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { filterConditions } from "#logging/queue/filter-conditions.ts";
import { integerOf, toDeliveryRow } from "#logging/queue/local-row.ts";
import type { LocalStore } from "#logging/queue/local-store.ts";
import type { DeliveryFilter, DeliveryPage, ListRequest } from "#logging/queue/queue.ts";

/** So many delivery ids are looked at in one go, and so many goes make a page at most. */
const windowIds = 4096;
const windowsMax = 64;
/** Up to so many dead letters are found and sorted through their index at once. */
const deadMax = 10_000;

/** Makes the `list` of a local queue. It looks at a bounded part of the file, and others get their turn in between. */
export function makeList(store: LocalStore) {
  const newest = store.file.prepare("SELECT coalesce(max(id), 0) AS id FROM delivery");
  const oldest = store.file.prepare("SELECT coalesce(min(id), 0) AS id FROM delivery");
  const dead = store.file.prepare("SELECT coalesce(sum(dead), 0) AS n FROM callback");

  function isSparse({ recordIds, states }: DeliveryFilter): boolean {
    if (recordIds) return true;
    return states?.length === 1 && states[0] === "dead" && integerOf(dead.get() ?? {}, "n") <= deadMax;
  }

  return async function list({ filter, before, limit }: ListRequest): Promise<DeliveryPage> {
    const first = integerOf(oldest.get() ?? {}, "id");
    let end = Math.min(before ?? Number.MAX_SAFE_INTEGER, integerOf(newest.get() ?? {}, "id") + 1);
    const rows: DeliveryPage["rows"] = [];
    for (let window = 0; window < windowsMax && end > first; window += 1) {
      const start = isSparse(filter) ? first : Math.max(first, end - windowIds);
      const found = select(store, filter, { start, end, limit: limit - rows.length });
      rows.push(...found.map(toDeliveryRow));
      if (rows.length === limit) return { rows, next: integerOf(found.at(-1) ?? {}, "id") };
      end = start;
      await setImmediate();
    }
    return { rows, next: end > first ? end : null };
  };
}

function select(
  { file }: LocalStore,
  filter: DeliveryFilter,
  { start, end, limit }: { start: number; end: number; limit: number },
) {
  const { conditions, values } = localConditions(filter);
  // The index of settled rows knows its rows by these words.
  const settled = filter.states?.length === 1 && filter.states[0] === "dead" ? ["state <> 0"] : [];
  const where = ["id >= ?", "id < ?", ...settled, ...conditions].join(" AND ");
  const text =
    `SELECT d.*, callback_id FROM delivery d JOIN callback ON number = d.callback WHERE ${where} ` +
    "ORDER BY id DESC LIMIT ?";
  return file.prepare(text).all(start, end, ...values, limit);
}

/** A filter's conditions on `delivery` joined with `callback`, and their values in order. */
export function localConditions(filter: DeliveryFilter): { conditions: string[]; values: SQLInputValue[] } {
  const values: SQLInputValue[] = [];
  const conditions = filterConditions(filter, {
    value(value) {
      values.push(value);
      return "?";
    },
    oneOf(column, texts) {
      values.push(JSON.stringify(texts));
      return `${column} IN (SELECT value FROM json_each(?))`;
    },
  });
  return { conditions, values };
}
