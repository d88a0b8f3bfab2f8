import type { Leases } from "#logging/queue/local-leases.ts";
import { integerOf, textOf, toDeliveryRow } from "#logging/queue/local-row.ts";
import type { LocalStore } from "#logging/queue/local-store.ts";
import { deliveryStates, type DeliveryCounts, type DeliveryRow, type DueCallback } from "#logging/queue/queue.ts";

/** Makes the look-ups of a local queue. */
export function makeFind(store: LocalStore, leases: Leases) {
  const statements = prepareStatements(store);

  function findRows(request: { by: "record" | "call"; id: string }): DeliveryRow[] {
    const statement = request.by === "record" ? statements.byRecord : statements.byCall;
    return statement.all({ id: request.id }).map(toDeliveryRow);
  }

  function findDue(nowMs: number): DueCallback[] {
    return statements.waiting.all().flatMap((row) => {
      const callbackId = textOf(row, "callback_id");
      for (const due of statements.due.iterate(integerOf(row, "number"), nowMs)) {
        if (leases.isHeld(integerOf(due, "id"), nowMs)) continue;
        return [{ callbackId, dueAtMs: integerOf(due, "due_at_ms") }];
      }
      return [];
    });
  }

  function findCounts(callbackIds?: readonly string[]): DeliveryCounts[] {
    const rows = callbackIds ? statements.countsOf.all(JSON.stringify(callbackIds)) : statements.counts.all();
    return rows.flatMap((row) => {
      const callbackId = textOf(row, "callback_id");
      const counts = deliveryStates.map((state) => ({ callbackId, state, count: integerOf(row, state) }));
      return counts.filter(({ count }) => count > 0);
    });
  }

  return { findRows, findDue, findCounts };
}

function prepareStatements({ file }: LocalStore) {
  const counts = "SELECT callback_id, pending, delivered, dead, suppressed FROM callback";
  const rows = "SELECT d.*, c.callback_id FROM delivery d JOIN callback c ON c.number = d.callback";
  return {
    byRecord: file.prepare(`${rows} WHERE d.record_id = $id ORDER BY id`),
    byCall: file.prepare(
      `${rows} WHERE d.call_id = $id UNION ALL ${rows} WHERE d.record_id = $id AND d.call_id IS NULL ORDER BY id`,
    ),
    waiting: file.prepare("SELECT number, callback_id FROM callback WHERE pending > 0"),
    due: file.prepare(
      `SELECT id, due_at_ms FROM delivery INDEXED BY delivery_pending
         WHERE callback = ? AND state = 0 AND due_at_ms <= ? ORDER BY due_at_ms, id`,
    ),
    counts: file.prepare(counts),
    countsOf: file.prepare(`${counts} WHERE callback_id IN (SELECT value FROM json_each(?))`),
  };
}
