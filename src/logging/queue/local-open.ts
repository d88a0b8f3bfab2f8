import { existsSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type DatabaseSync } from "node:sqlite";
import { currentLogger } from "#lib/logger.ts";
import { inspectFile, openLocalFile } from "#logging/queue/local-file.ts";
import { damagePath, type Marker, readDamage, readMarker } from "#logging/queue/local-marker.ts";
import { salvage } from "#logging/queue/local-salvage.ts";

/**
 * Opens the file of the local queue, as `openLocalFile`, after verifying it. A damaged file is moved aside, and what can
 * be read of it goes into a fresh one. Our own log says what was found, what was recovered, and what is lost.
 */
export function openSoundFile(path: string): DatabaseSync {
  const marker = readMarker(path);
  const damage = findDamage(path);
  if (damage === null) {
    const file = openLocalFile(path);
    reportLoss(path, file, marker);
    return file;
  }
  const aside = moveAside(path);
  rmSync(damagePath(path), { force: true });
  const file = openLocalFile(path);
  const salvaged = salvage(aside, file, marker);
  const lost = marker === null ? null : Math.max(0, marker.pending - salvaged.pending);
  currentLogger().error(
    { file: aside, damage, ...salvaged, lost },
    "the queue file was damaged and moved aside; what could be read of it was recovered",
  );
  return file;
}

/** What is wrong with a file; null if it is sound, or if there is none and nothing is left of one. */
function findDamage(path: string): string | null {
  const noted = readDamage(path);
  if (noted !== null && existsSync(path)) return noted;
  const size = existsSync(path) ? statSync(path).size : 0;
  const walSize = existsSync(`${path}-wal`) ? statSync(`${path}-wal`).size : 0;
  if (size === 0) return walSize > 0 ? "it is empty or missing, and its log is there" : null;
  return inspectFile(path);
}

/** Gives a file and its log another name, as they are. */
function moveAside(path: string): string {
  const time = new Date().toISOString().replaceAll(/[:.]/g, "-");
  let aside = `${path}.damaged-${time}`;
  for (let count = 2; existsSync(aside); count += 1) aside = `${path}.damaged-${time}-${String(count)}`;
  if (existsSync(path)) renameSync(path, aside);
  else writeFileSync(aside, "", { mode: 0o600 });
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${aside}-wal`);
  rmSync(`${path}-shm`, { force: true });
  return aside;
}

/** The marker tells of records that a sound file does not hold: it was emptied, replaced, or is another one. */
function reportLoss(path: string, file: DatabaseSync, marker: Marker | null): void {
  if (marker === null || marker.pending === 0) return;
  const id = file.prepare("SELECT id FROM identity").get()?.id;
  if (id === marker.id) return;
  const pending = Number(file.prepare("SELECT coalesce(sum(pending), 0) AS n FROM callback").get()?.n);
  currentLogger().error(
    { file: path, lost: marker.pending, pending },
    "the queue file is missing, empty or another one: the records that waited in it are lost",
  );
}
