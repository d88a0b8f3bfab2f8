/** What settling a delivery needs that was handed out by this process. */
export type DatabaseLease = { id: number; recordId: string; contentId: number; shared: boolean; untilMs: number };

/** The leases that this process took and has not settled, by number. The database decides whether one still holds. */
export type DatabaseLeases = {
  add(leaseId: number, lease: DatabaseLease): void;
  /** Takes a lease out. */
  take(leaseId: number): DatabaseLease | undefined;
};

const pruneMs = 60_000;
/** A settlement that comes so long after the end of its lease is of no use any more. */
const uselessAfterMs = 3_600_000;

/** Makes an empty set of leases. Those that are never settled are forgotten an hour after their end. */
export function makeDatabaseLeases(): DatabaseLeases {
  const leases = new Map<number, DatabaseLease>();
  let prunedAtMs = 0;

  function prune(nowMs: number) {
    prunedAtMs = nowMs;
    for (const [leaseId, { untilMs }] of leases) if (untilMs + uselessAfterMs < nowMs) leases.delete(leaseId);
  }

  return {
    add(leaseId, lease) {
      if (lease.untilMs - prunedAtMs > pruneMs) prune(lease.untilMs);
      leases.set(leaseId, lease);
    },
    take(leaseId) {
      const lease = leases.get(leaseId);
      leases.delete(leaseId);
      return lease;
    },
  };
}
