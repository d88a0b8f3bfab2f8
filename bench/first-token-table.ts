import { median, quantile } from "./measure.ts";
import { toMarkdown } from "./report.ts";

/** What was measured of one system at one rate, over all rounds. */
export type FirstTokenRow = {
  system: string;
  /** True for the system that the others are compared with. */
  isFloor: boolean;
  /** True where all systems were measured at this rate. */
  isShared: boolean;
  /** Calls a second. */
  saturation: number;
  rate: number;
  /** Milliseconds to the first token in each round, through the system and from the upstream itself. */
  firstTokenMs: readonly (readonly number[])[];
  directMs: readonly (readonly number[])[];
  failed: number;
  delivered: number | null;
  lost: number | null;
  duplicated: number | null;
};

type Added = { p50: number; p99: number };

/**
 * The Markdown table: each system at half of its own saturation, then all of them at the same rate. Each time is that of
 * the middle round: one in which the host was busy elsewhere would be most of the slowest hundredth of all rounds.
 */
export function toFirstTokenTable(rows: readonly FirstTokenRow[]): string {
  const header = [
    ...["system", "at half of", "calls/s", "first token p50 ms", "p99 ms", "added p50 ms", "p99 ms"],
    ...["p50 against the pass-through", "p99", "failed", "records delivered", "lost", "duplicated"],
  ];
  const lines = rows.map((row) => {
    const floor = rows.find(({ isFloor, isShared }) => isFloor && isShared === row.isShared);
    const added = addedOf(row);
    return [
      row.system,
      row.isShared ? "the slowest's saturation" : `its own saturation (${row.saturation.toFixed(0)}/s)`,
      row.rate.toFixed(0),
      ...atBoth(row.firstTokenMs).map((ms) => ms.toFixed(2)),
      ...[added.p50, added.p99].map((ms) => ms.toFixed(2)),
      ...timesOf(added, floor && !row.isFloor ? addedOf(floor) : null),
      String(row.failed),
      ...[row.delivered, row.lost, row.duplicated].map((count) => (count === null ? "–" : String(count))),
    ];
  });
  return toMarkdown(header, lines, 2);
}

function atBoth(rounds: FirstTokenRow["firstTokenMs"]): [number, number] {
  const sorted = rounds.map((values) => values.toSorted((left, right) => left - right));
  return [
    median(sorted.map((values) => quantile(values, 0.5))),
    median(sorted.map((values) => quantile(values, 0.99))),
  ];
}

/** Quantile by quantile: what the system's answers took beyond the upstream's own in the same round. */
function addedOf({ firstTokenMs, directMs }: FirstTokenRow): Added {
  const rounds = firstTokenMs.map((values, round) => {
    const [p50, p99] = atBoth([values]);
    const [directP50, directP99] = atBoth([directMs[round] ?? []]);
    return { p50: p50 - directP50, p99: p99 - directP99 };
  });
  return { p50: median(rounds.map(({ p50 }) => p50)), p99: median(rounds.map(({ p99 }) => p99)) };
}

function timesOf(added: Added, floor: Added | null): [string, string] {
  const times = (own: number, least: number) => (least > 0 ? `${(own / least).toFixed(1)} ×` : "–");
  return floor === null ? ["–", "–"] : [times(added.p50, floor.p50), times(added.p99, floor.p99)];
}
