/**
 * Watches the clock of the machine. The returned function says by how many milliseconds it was set back since it was last
 * asked; 0 where it was not, or by less than a second.
 */
export function watchClock(wallMs = Date.now, steadyMs = monotonicMs): () => number {
  let offsetMs = wallMs() - steadyMs();
  return () => {
    const backMs = offsetMs - (wallMs() - steadyMs());
    offsetMs -= backMs;
    return backMs >= 1_000 ? backMs : 0;
  };
}

/** A clock that never jumps, the same one in every thread and process of this machine, in milliseconds. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1000;
}
