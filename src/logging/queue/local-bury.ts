import { setImmediate } from "node:timers/promises";
import type { Leases } from "#logging/queue/local-leases.ts";
import { integerOf, integerOrNull, type SqlRow, textOf, textOrNull } from "#logging/queue/local-row.ts";
import type { LocalStore } from "#logging/queue/local-store.ts";
import type { BuryRequest, FailingCallback, Queue } from "#logging/queue/queue.ts";

/** So many pending deliveries are looked at in one go. */
const chunkRows = 1_000;

/** Makes the `buryAged` of a local queue. It works in small transactions, and other work gets its turn in between. */
export function makeBuryAged({ file, write, count }: LocalStore, leases: Leases): Queue["buryAged"] {
  const callbacks = file.prepare("SELECT number, callback_id FROM callback WHERE pending > 0");
  const next = file.prepare(
    `SELECT id, due_at_ms, coalesce(age_from_ms, created_at_ms) AS age_from_ms, status, message
       FROM delivery INDEXED BY delivery_pending
       WHERE callback = ?1 AND state = 0 AND (due_at_ms > ?2 OR (due_at_ms = ?2 AND id > ?3)) AND due_at_ms >= ?2
       ORDER BY due_at_ms, id LIMIT ${String(chunkRows)}`,
  );
  const bury = file.prepare(
    "UPDATE delivery SET state = 2, settled_at_ms = ?, status = ?, message = ? WHERE id = ? AND state = 0",
  );

  function buryRows(rows: readonly SqlRow[], callback: number, { request, fault }: Burying): number {
    const isAged = (row: SqlRow): boolean =>
      integerOf(row, "age_from_ms") <= request.ageFromMs && !leases.isHeld(integerOf(row, "id"), request.nowMs);
    const aged = rows.filter(isAged);
    if (aged.length === 0) return 0;
    write(() => {
      for (const row of aged) {
        const status = integerOrNull(row, "status") ?? fault?.status ?? 0;
        const answer = textOrNull(row, "message") ?? fault?.message ?? "";
        const message = answer === "" ? request.reason : `${request.reason} Last answer: ${answer}`;
        bury.run(request.nowMs, status, message, integerOf(row, "id"));
      }
      count(callback, "pending", -aged.length);
      count(callback, "dead", aged.length);
    });
    for (const row of aged) leases.end(integerOf(row, "id"));
    return aged.length;
  }

  /** Of a callback that fails, all that is pending is looked at; of another one, what is due later. */
  async function buryOf(callback: number, burying: Burying): Promise<number> {
    let at = { dueAtMs: burying.fault === undefined ? burying.request.nowMs : -1, id: Number.MAX_SAFE_INTEGER };
    let buried = 0;
    for (;;) {
      const rows = next.all(callback, at.dueAtMs, at.id);
      buried += buryRows(rows, callback, burying);
      const last = rows.at(-1);
      if (last === undefined || rows.length < chunkRows) return buried;
      at = { dueAtMs: integerOf(last, "due_at_ms"), id: integerOf(last, "id") };
      await setImmediate();
    }
  }

  return async (request) => {
    const failing = new Map(request.failing.map((callback) => [callback.callbackId, callback]));
    const counts: { callbackId: string; count: number }[] = [];
    for (const row of callbacks.all()) {
      const callbackId = textOf(row, "callback_id");
      const buried = await buryOf(integerOf(row, "number"), { request, fault: failing.get(callbackId) });
      if (buried > 0) counts.push({ callbackId, count: buried });
    }
    return counts;
  };
}

type Burying = { request: BuryRequest; fault: FailingCallback | undefined };
