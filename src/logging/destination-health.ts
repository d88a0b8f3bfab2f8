/** What became of the deliveries to one callback since it was last asked. */
export type DestinationHealth = {
  callbackId: string;
  /** For how long every try has failed; null where the last one did not. */
  failingForMs: number | null;
  /** The HTTP status of the last failure; 0: no answer, or the callback cannot be used as it stands. */
  status: number;
  /** Whether something got through. */
  delivered: boolean;
  /** How many records were given up. */
  dead: number;
};

/** Keeps what `DestinationHealth` tells. */
export type HealthLog = {
  fail(callbackId: string, status: number): void;
  succeed(callbackId: string): void;
  bury(callbackId: string, count: number): void;
  /** Callbacks that fail now, and those of which there is news since the last time. */
  take(): DestinationHealth[];
};

/** Makes an empty log. */
export function makeHealthLog(nowMs: () => number): HealthLog {
  const failing = new Map<string, { sinceMs: number; status: number }>();
  const delivered = new Set<string>();
  const dead = new Map<string, number>();
  return {
    fail(callbackId, status) {
      failing.set(callbackId, { sinceMs: failing.get(callbackId)?.sinceMs ?? nowMs(), status });
    },
    succeed(callbackId) {
      failing.delete(callbackId);
      delivered.add(callbackId);
    },
    bury(callbackId, count) {
      if (count > 0) dead.set(callbackId, (dead.get(callbackId) ?? 0) + count);
    },
    take() {
      const ids = new Set([...failing.keys(), ...delivered, ...dead.keys()]);
      const taken = [...ids].map((callbackId) => {
        const failure = failing.get(callbackId);
        return {
          callbackId,
          failingForMs: failure === undefined ? null : nowMs() - failure.sinceMs,
          status: failure?.status ?? 0,
          delivered: delivered.has(callbackId),
          dead: dead.get(callbackId) ?? 0,
        };
      });
      delivered.clear();
      dead.clear();
      return taken;
    },
  };
}
