import { stateCell } from "#lib/state.ts";

const cell = stateCell<Map<string, number>>("suppressed-calls");

/** Counts an answered call of a team that left no record because its logging is off. Nothing else of it is kept. */
export function countSuppressedCall(teamId: string): void {
  const counts = cell.find() ?? new Map<string, number>();
  cell.set(counts);
  counts.set(teamId, (counts.get(teamId) ?? 0) + 1);
}

/** The counts since the last time they were taken, by team. */
export function takeSuppressedCalls(): ReadonlyMap<string, number> {
  const counts = cell.find() ?? new Map<string, number>();
  cell.clear();
  return counts;
}
