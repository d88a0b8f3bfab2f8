import type { Lease, Leases } from "#logging/queue/local-leases.ts";
import type { LocalStore } from "#logging/queue/local-store.ts";
import type { Settlement } from "#logging/queue/queue.ts";

/**
 * Makes the `settle` of a local queue. A settlement whose lease is not the newest of its delivery, or whose delivery
 * was removed, changes nothing. Delivered and dead ones count the try.
 */
export function makeSettle(store: LocalStore, leases: Leases, { keepsContent }: { keepsContent: boolean }) {
  const statements = prepareStatements(store);

  function retry({ status, message, ...settlement }: Settlement & { state: "pending" }, lease: Lease) {
    statements.retry.run(settlement.dueAtMs, settlement.counted ? 1 : 0, status, message, lease.deliveryId);
  }

  /** Settles all that got the same answer at once. */
  function end(group: readonly Ended[], nowMs: number) {
    const [first] = group;
    if (first === undefined) return;
    const { state, status, message } = first.settlement;
    const ids = JSON.stringify(group.map(({ lease }) => lease.deliveryId));
    const deliver = keepsContent ? statements.deliverAndKeep : statements.deliver;
    const statement = state === "delivered" ? deliver : statements.bury;
    const changes = Number(statement.run(nowMs, status, message, ids).changes);
    store.count(first.lease.callback, "pending", -changes);
    store.count(first.lease.callback, state, changes);
    if (state === "delivered" && changes > 0 && !keepsContent) store.dropContents(group.map(({ lease }) => lease));
  }

  return (settlements: readonly Settlement[], nowMs: number): void => {
    const ended = new Set<Lease>();
    function settleAll() {
      const groups = new Map<string, Ended[]>();
      for (const settlement of settlements) {
        const lease = leases.find(settlement.deliveryId);
        if (lease === undefined || ended.has(lease)) continue;
        ended.add(lease);
        if (settlement.state === "pending") retry(settlement, lease);
        else if (settlement.state !== "released") addTo(groups, { settlement, lease });
      }
      for (const group of groups.values()) end(group, nowMs);
    }
    // A settlement that a power cut undoes is a delivery that is made again, with the same ids.
    store.write(settleAll, false);
    for (const lease of ended) leases.end(lease.deliveryId);
  };
}

/** A delivery that is over. */
type Ended = { settlement: Settlement & { state: "delivered" | "dead" }; lease: Lease };

function addTo(groups: Map<string, Ended[]>, ended: Ended): void {
  const { state, status, message } = ended.settlement;
  const name = `${String(ended.lease.callback)} ${state} ${String(status)} ${message}`;
  const group = groups.get(name);
  if (group) group.push(ended);
  else groups.set(name, [ended]);
}

function prepareStatements({ file }: LocalStore) {
  return {
    retry: file.prepare(
      `UPDATE delivery SET due_at_ms = ?, tries = tries + ?, status = ?, message = ? WHERE id = ? AND state = 0`,
    ),
    deliver: file.prepare(
      `UPDATE delivery SET state = 1, content_id = NULL, tries = tries + 1, settled_at_ms = ?, status = ?, message = ?
         WHERE id IN (SELECT value FROM json_each(?)) AND state = 0`,
    ),
    deliverAndKeep: file.prepare(
      `UPDATE delivery SET state = 1, tries = tries + 1, settled_at_ms = ?, status = ?, message = ?
         WHERE id IN (SELECT value FROM json_each(?)) AND state = 0`,
    ),
    // A dead letter keeps its content, because it may be sent again.
    bury: file.prepare(
      `UPDATE delivery SET state = 2, tries = tries + 1, settled_at_ms = ?, status = ?, message = ?
         WHERE id IN (SELECT value FROM json_each(?)) AND state = 0`,
    ),
  };
}
