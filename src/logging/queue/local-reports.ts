import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { stateCell } from "#lib/state.ts";

/** A queue file that was damaged or lost. `lost` counts waiting deliveries; null: nobody knows how many there were. */
export const DamageReport = z.object({
  at: z.string(),
  /** The name of the damaged file, which was moved aside; null if there was none left. */
  file: z.string().nullable(),
  damage: z.string(),
  /** Waiting deliveries that were recovered. */
  recovered: z.int(),
  lost: z.int().nullable(),
});
export type DamageReport = z.output<typeof DamageReport>;

const reportsMax = 20;
const reportsPath = (path: string): string => `${path}.reports`;

/** The path of the queue file of this process. */
export const queuePathState = stateCell<string>("queue-path");

/** The damages of a queue file that were found at its starts, the newest last. */
export function readReports(path: string): DamageReport[] {
  try {
    return z.array(DamageReport).parse(JSON.parse(readFileSync(reportsPath(path), "utf8")));
  } catch {
    return [];
  }
}

/** Adds a report, and forgets the oldest ones. */
export function addReport(path: string, report: DamageReport): void {
  const fresh = `${reportsPath(path)}.new`;
  writeFileSync(fresh, JSON.stringify([...readReports(path), report].slice(-reportsMax)), { mode: 0o600 });
  renameSync(fresh, reportsPath(path));
}
