import { closeSync, existsSync, openSync, readFileSync, readSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { z } from "zod";

/**
 * What is known of a queue file outside of it, in a small file beside it: an emptied, replaced or missing queue file says
 * nothing of what was in it. It is written at the start, at the end, and every two seconds if something changed.
 */
const Marker = z.object({
  /** The queue file holds the same id. */
  id: z.string(),
  /** How many deliveries were waiting. */
  pending: z.number(),
  /** The callbacks by their numbers in the file. */
  callbacks: z.record(z.string(), z.string()),
  /** The first page of the file, which holds the schema with the root page of each table. */
  firstPage: z.string(),
});
export type Marker = z.output<typeof Marker>;

/** Where the marker of a queue file is. */
export const markerPath = (path: string): string => `${path}.marker`;

/** The marker of a queue file; null if there is none that can be read. */
export function readMarker(path: string): Marker | null {
  try {
    return Marker.parse(JSON.parse(readFileSync(markerPath(path), "utf8")));
  } catch {
    return null;
  }
}

/** Replaces the marker of a queue file. */
export function writeMarker(path: string, marker: Marker): void {
  const fresh = `${markerPath(path)}.new`;
  writeFileSync(fresh, JSON.stringify(marker), { mode: 0o600 });
  renameSync(fresh, markerPath(path));
}

/** Removes the marker of a queue file. */
export function removeMarker(path: string): void {
  rmSync(markerPath(path), { force: true });
}

/** The first page of a database file, as text. */
export function readFirstPage(path: string, bytes: number): string {
  const file = openSync(path, "r");
  try {
    const page = Buffer.alloc(bytes);
    readSync(file, page, 0, bytes, 0);
    return page.toString("base64");
  } finally {
    closeSync(file);
  }
}

const damagePath = (path: string): string => `${path}.damage`;

/** Notes that a queue file was found damaged while it was used, so that the next start does not trust it. */
export function noteDamage(path: string, reason: string): void {
  writeFileSync(damagePath(path), reason, { mode: 0o600 });
}

/** What was noted of a queue file; null if nothing was. */
export function readDamage(path: string): string | null {
  return existsSync(damagePath(path)) ? readFileSync(damagePath(path), "utf8") : null;
}

export { damagePath };
