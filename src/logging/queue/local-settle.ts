import type { Lease, Leases } from "#logging/queue/local-leases.ts";
import type { LocalStore } from "#logging/queue/local-store.ts";
import type { Settlement } from "#logging/queue/queue.ts";

/**
 * Makes the `settle` of a local queue. A settlement whose lease is not the newest of its delivery, or whose delivery
 * was removed, changes nothing. Delivered and dead ones count the try.
 */
export function makeSettle(store: LocalStore, leases: Leases) {
  const statements = prepareStatements(store);

  function settleOne(settlement: Settlement, lease: Lease, nowMs: number) {
    const { status, message } = settlement;
    if (settlement.state === "pending") {
      statements.retry.run(settlement.dueAtMs, settlement.counted ? 1 : 0, status, message, lease.deliveryId);
      return;
    }
    const statement = settlement.state === "delivered" ? statements.deliver : statements.bury;
    const { changes } = statement.run(nowMs, status, message, lease.deliveryId);
    if (Number(changes) === 0) return;
    store.count(lease.callback, "pending", -1);
    store.count(lease.callback, settlement.state, 1);
    if (settlement.state === "delivered") store.dropContent(lease.contentId, lease.recordId);
  }

  return (settlements: readonly Settlement[], nowMs: number): void => {
    const ended = new Set<Lease>();
    function settleAll() {
      for (const settlement of settlements) {
        const lease = leases.find(settlement.deliveryId);
        if (lease === undefined || ended.has(lease)) continue;
        settleOne(settlement, lease, nowMs);
        ended.add(lease);
      }
    }
    // A settlement that a power cut undoes is a delivery that is made again, with the same ids.
    store.write(settleAll, false);
    for (const lease of ended) leases.end(lease.deliveryId);
  };
}

function prepareStatements({ file }: LocalStore) {
  return {
    retry: file.prepare(
      `UPDATE delivery SET due_at_ms = ?, tries = tries + ?, status = ?, message = ? WHERE id = ? AND state = 0`,
    ),
    deliver: file.prepare(
      `UPDATE delivery SET state = 1, content_id = NULL, tries = tries + 1, settled_at_ms = ?, status = ?, message = ?
         WHERE id = ? AND state = 0`,
    ),
    // A dead letter keeps its content, because it may be sent again.
    bury: file.prepare(
      `UPDATE delivery SET state = 2, tries = tries + 1, settled_at_ms = ?, status = ?, message = ?
         WHERE id = ? AND state = 0`,
    ),
  };
}
