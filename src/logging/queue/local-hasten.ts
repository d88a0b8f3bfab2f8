import type { LocalStore } from "#logging/queue/local-store.ts";

/** Makes the `hasten` of a local queue: one step through the index of what waits per callback. */
export function makeHasten({ file, write }: LocalStore) {
  const hasten = file.prepare(
    `UPDATE delivery INDEXED BY delivery_pending SET due_at_ms = ?1
       WHERE state = 0 AND callback IN (SELECT number FROM callback WHERE pending > 0) AND due_at_ms > ?2`,
  );
  return ({ laterThanMs, nowMs }: { laterThanMs: number; nowMs: number }): void => {
    write(() => hasten.run(nowMs, laterThanMs));
  };
}
