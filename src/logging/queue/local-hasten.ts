import type { Leases } from "#logging/queue/local-leases.ts";
import type { LocalStore } from "#logging/queue/local-store.ts";

/** Makes the `hasten` of a local queue. It reads the index of pending deliveries, and writes only if one is too late. */
export function makeHasten({ file, write }: LocalStore, leases: Leases) {
  const late = "state = 0 AND callback IN (SELECT number FROM callback WHERE pending > 0) AND due_at_ms > ?1";
  const find = file.prepare(`SELECT 1 FROM delivery INDEXED BY delivery_pending WHERE ${late} LIMIT 1`);
  const hasten = file.prepare(`UPDATE delivery INDEXED BY delivery_pending SET due_at_ms = ?2 WHERE ${late}`);
  return ({ laterThanMs, nowMs }: { laterThanMs: number; nowMs: number }): void => {
    leases.endLater(laterThanMs);
    if (find.get(laterThanMs) !== undefined) write(() => hasten.run(laterThanMs, nowMs));
  };
}
