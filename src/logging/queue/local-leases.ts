/** A delivery that is handed out, with what settling it needs. */
export type Lease = {
  deliveryId: number;
  callback: number;
  recordId: string;
  contentId: number;
  untilMs: number;
};

/**
 * The leases of the one process that owns the file. They live in memory: a claim writes nothing, and the leases of a
 * dead process are over by themselves.
 */
export type Leases = {
  /** True where the delivery is handed out and its lease has not ended. */
  isHeld(deliveryId: number, nowMs: number): boolean;
  /** Hands out a delivery under a new number. An earlier lease of it counts no more. */
  add(lease: Lease): number;
  /** The lease of a number, also when its time is over, as long as the delivery was not handed out again. */
  find(leaseId: number): Lease | undefined;
  /** Ends the lease of a delivery, if it has one. */
  end(deliveryId: number): void;
  /** Ends leases that end later than this: the clock was ahead when they were made. */
  endLater(untilMs: number): void;
};

/** Makes an empty set of leases. */
export function makeLeases(): Leases {
  const leases = new Map<number, Lease>();
  const leaseOf = new Map<number, number>();
  let nextLeaseId = 1;

  function end(deliveryId: number) {
    const leaseId = leaseOf.get(deliveryId);
    if (leaseId === undefined) return;
    leaseOf.delete(deliveryId);
    leases.delete(leaseId);
  }

  return {
    isHeld(deliveryId, nowMs) {
      const leaseId = leaseOf.get(deliveryId);
      return leaseId !== undefined && (leases.get(leaseId)?.untilMs ?? 0) > nowMs;
    },
    add(lease) {
      end(lease.deliveryId);
      const leaseId = nextLeaseId;
      nextLeaseId += 1;
      leases.set(leaseId, lease);
      leaseOf.set(lease.deliveryId, leaseId);
      return leaseId;
    },
    find: (leaseId) => leases.get(leaseId),
    end,
    endLater(untilMs) {
      // The delivery can still be settled with it, unless it is handed out again.
      for (const lease of leases.values()) if (lease.untilMs > untilMs) lease.untilMs = 0;
    },
  };
}
