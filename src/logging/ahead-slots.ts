/** Room for batches that are claimed while the one before them is still being sent. */
export type AheadSlots = {
  /** Takes a place, where there is one. */
  take(): boolean;
  /** Gives a place back. */
  give(): void;
};

/** Each holds a batch in memory, beside those that are being sent. */
const slotsMax = 8;

/** Makes the places of one deliverer. None is free while `isRoom` says no. */
export function makeAheadSlots(isRoom: () => boolean): AheadSlots {
  let taken = 0;
  return {
    take() {
      if (taken >= slotsMax || !isRoom()) return false;
      taken += 1;
      return true;
    },
    give() {
      taken -= 1;
    },
  };
}
