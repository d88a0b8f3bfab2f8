/** A clock that never jumps, the same one in every thread and process of this machine, in milliseconds. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1000;
}
