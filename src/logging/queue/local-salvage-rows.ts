import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";

const text = z.string().min(1).max(4_096);
const time = z.int().min(0);

/** A delivery as it may be in a damaged file. Bytes that make no delivery are left out. */
const DamagedRow = z.object({
  id: z.int().min(1),
  record_id: text,
  callback: z.int(),
  state: z.int().min(0).max(3),
  content_id: z.int().nullable(),
  due_at_ms: time,
  tries: z.int().min(0).max(1_000_000),
  created_at_ms: time,
  settled_at_ms: time.nullable(),
  status: z.int().nullable(),
  call_id: text.nullable(),
  team_id: text.nullable(),
  key_hash: text.nullable(),
  message: z.string().nullable(),
  age_from_ms: time.nullable().default(null),
});
export type DamagedRow = z.output<typeof DamagedRow>;

/** No file has had so many deliveries. */
const idMax = 2 ** 48;

/**
 * Reads the deliveries of a damaged file in the order of their ids. Where SQLite refuses to go on, it looks for the next
 * id that can be read. No index is used, because those may be damaged too.
 */
export function* readRows(source: DatabaseSync): Generator<DamagedRow> {
  const next = source.prepare("SELECT * FROM delivery NOT INDEXED WHERE id >= ? ORDER BY id LIMIT 1");

  /** The first row from an id on; null if there is none, undefined if it cannot be read. */
  function readFrom(id: number): Record<string, unknown> | null | undefined {
    try {
      return next.get(id) ?? null;
    } catch {
      return undefined;
    }
  }

  for (let id = 0; ;) {
    const row = readFrom(id);
    if (row === null) return;
    if (row === undefined) {
      const readable = findReadable(id, readFrom);
      if (readable === null) return;
      id = readable;
      continue;
    }
    const parsed = DamagedRow.safeParse(row);
    if (parsed.success) yield parsed.data;
    const found = Number(row["id"]);
    // Ids only grow, unless the page is damaged.
    id = Number.isSafeInteger(found) && found >= id ? found + 1 : id + 1;
  }
}

/** The lowest id above this one from which something can be read: found by doubling steps, then by halving them. */
function findReadable(id: number, readFrom: (id: number) => unknown): number | null {
  let step = 1;
  while (readFrom(id + step) === undefined) {
    step *= 2;
    if (id + step > idMax) return null;
  }
  let [low, high] = [Math.floor(step / 2), step];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (readFrom(id + middle) === undefined) low = middle;
    else high = middle;
  }
  return id + high;
}
