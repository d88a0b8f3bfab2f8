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

/** Milliseconds; half of the answers, and all but the slowest hundredth, took no longer. */
type Times = { p50: number; p99: number };

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
    const taken = middleOf(row.firstTokenMs.map(timesOf));
    const added = addedOf(row);
    return [
      row.system,
      row.isShared ? "the slowest's saturation" : `its own saturation (${row.saturation.toFixed(0)}/s)`,
      row.rate.toFixed(0),
      ...[taken.p50, taken.p99, added.p50, added.p99].map((ms) => ms.toFixed(2)),
      ...ratiosOf(added, floor && !row.isFloor ? addedOf(floor) : null),
      String(row.failed),
      ...[row.delivered, row.lost, row.duplicated].map((count) => (count === null ? "–" : String(count))),
    ];
  });
  return toMarkdown(header, lines, 2);
}

function timesOf(values: readonly number[]): Times {
  const sorted = values.toSorted((left, right) => left - right);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}

function middleOf(rounds: readonly Times[]): Times {
  return { p50: median(rounds.map(({ p50 }) => p50)), p99: median(rounds.map(({ p99 }) => p99)) };
}

/** Quantile by quantile: what the system's answers took beyond the upstream's own in the same round. */
function addedOf({ firstTokenMs, directMs }: FirstTokenRow): Times {
  const rounds = firstTokenMs.map((values, round) => {
    const own = timesOf(values);
    const direct = timesOf(directMs[round] ?? []);
    return { p50: own.p50 - direct.p50, p99: own.p99 - direct.p99 };
  });
  return middleOf(rounds);
}

function ratiosOf(added: Times, floor: Times | null): [string, string] {
  const ratio = (own: number, least: number) => (least > 0 ? `${(own / least).toFixed(1)} ×` : "–");
  return floor === null ? ["–", "–"] : [ratio(added.p50, floor.p50), ratio(added.p99, floor.p99)];
}
