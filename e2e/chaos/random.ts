/** A generator of random numbers whose seed decides all of them. */
export type Random = {
  /** From 0 up to, and without, 1. */
  next(): number;
  /** A number from `low` up to `high`. */
  between(low: number, high: number): number;
  /** One of the list, which must not be empty. */
  pick<One>(list: readonly One[]): One;
  /** A generator of its own, which the numbers drawn here do not change. */
  branch(name: string): Random;
};

/** Mulberry32: small, and good enough to choose faults. */
export function makeRandom(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
  return {
    next,
    between: (low, high) => low + next() * (high - low),
    pick(list) {
      const picked = list[Math.floor(next() * list.length)];
      if (picked === undefined) throw new Error("There is nothing to pick from.");
      return picked;
    },
    branch: (name) => makeRandom(Buffer.from(name).reduce((sum, byte) => Math.imul(sum ^ byte, 16_777_619), seed)),
  };
}
