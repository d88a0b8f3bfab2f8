import { accessSync, constants, existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { currentLogger } from "#lib/logger.ts";
import { inspectFile, openLocalFile } from "#logging/queue/local-file.ts";
import { damagePath, type Marker, readDamage, readMarker, removeMarker } from "#logging/queue/local-marker.ts";
import { addReport } from "#logging/queue/local-reports.ts";
import { rescuedPath } from "#logging/queue/local-rescue.ts";
import { salvage, type Salvaged } from "#logging/queue/local-salvage.ts";

/**
 * Opens the file of the local queue, as `openLocalFile`, after verifying it. A damaged file is moved aside, and what can
 * be read of it goes into a fresh one. Our own log and the reports say what was found, recovered, and lost.
 */
export function openSoundFile(path: string): DatabaseSync {
  recoverFile(path);
  const file = openLocalFile(path);
  reportLoss(path, file, readMarker(path));
  return file;
}

/**
 * Makes the file of a local queue one that can be trusted, or leaves none. A sound file stays as it is. If the process
 * dies meanwhile, the next start goes on from the damaged file, or from the complete new one.
 */
export function recoverFile(path: string): void {
  checkAccess(path);
  if (existsSync(rescuedPath(path))) {
    const damage = readDamage(path) ?? "it was lost while it was used";
    const figures = replaceWithRescued(path, damage);
    currentLogger().error(
      figures,
      "the queue file was lost while it was used; its records were copied from the open file",
    );
  }
  const damage = findDamage(path);
  if (damage === null) return;
  const { settled, withoutContent } = salvageInto(path, rescuedPath(path));
  const figures = { ...replaceWithRescued(path, damage, withoutContent), settled, withoutContent };
  currentLogger().error(figures, "the queue file was damaged and moved aside; what could be read of it was recovered");
}

function salvageInto(path: string, target: string): Salvaged {
  const fresh = `${path}.salvaging`;
  for (const ending of ["", "-wal", "-shm", "-journal"]) rmSync(`${fresh}${ending}`, { force: true });
  if (!existsSync(path)) writeFileSync(path, "", { mode: 0o600 });
  const file = openLocalFile(fresh);
  let salvaged: Salvaged;
  try {
    salvaged = salvage(path, file, readMarker(path));
  } finally {
    file.close();
  }
  // Only a complete file gets this name: after a failure the next start salvages again.
  renameSync(fresh, target);
  return salvaged;
}

/**
 * Puts the recovered file in the place of the damaged one, which is moved aside if it is there, and reports it. A
 * delivery without its content cannot be sent, so it counts as lost.
 */
function replaceWithRescued(path: string, damage: string, withoutContent = 0) {
  const marker = readMarker(path);
  const aside = [path, `${path}-wal`].some((one) => existsSync(one)) ? moveAside(path) : null;
  rmSync(damagePath(path), { force: true });
  renameSync(rescuedPath(path), path);
  const pending = countPending(path);
  const recovered = Math.max(0, pending - withoutContent);
  const lost = marker === null ? null : Math.max(0, marker.pending - pending) + withoutContent;
  // It tells of the file that was moved.
  removeMarker(path);
  addReport(path, { ...toReport(damage), file: aside === null ? null : basename(aside), recovered, lost });
  return { file: aside, damage, recovered, lost };
}

function countPending(path: string): number {
  const file = new DatabaseSync(path, { readOnly: true });
  try {
    return Number(file.prepare("SELECT coalesce(sum(pending), 0) AS n FROM callback").get()?.n);
  } catch {
    return 0;
  } finally {
    file.close();
  }
}

const toReport = (damage: string) => ({ at: new Date().toISOString(), damage });

/** Throws if the file or its folder cannot be read and written, with the path and what to do. */
function checkAccess(path: string): void {
  const folder = dirname(path);
  const both = constants.R_OK | constants.W_OK;
  let checked = folder;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, both | constants.X_OK);
    for (checked of [path, `${path}-wal`]) {
      if (!existsSync(checked)) continue;
      accessSync(checked, both);
      if (!statSync(checked).isFile()) throw new Error("it is not a file");
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `The queue file ${path} cannot be used: ${checked} must be readable and writable for the user of the gateway (${reason}). ` +
        "Correct its owner and mode, or set SLUICE_DATA_DIR to another folder.",
      { cause: error },
    );
  }
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
  const damage = "the file is missing, empty or another one";
  addReport(path, { ...toReport(damage), file: null, recovered: 0, lost: marker.pending });
  currentLogger().error(
    { file: path, lost: marker.pending, pending },
    "the queue file is missing, empty or another one: the records that waited in it are lost",
  );
}
