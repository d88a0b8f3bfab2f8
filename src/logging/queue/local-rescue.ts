import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { currentLogger } from "#lib/logger.ts";
import { openLocalFile } from "#logging/queue/local-file.ts";
import { readMarker } from "#logging/queue/local-marker.ts";
import { copyRows } from "#logging/queue/local-salvage.ts";

/** Where the records of a lost queue file are until the file is opened again. A file with this name is complete. */
export const rescuedPath = (path: string): string => `${path}.rescued`;

/**
 * Writes what an open connection still reads of a lost queue file (removed, replaced, emptied) into a new one, for the
 * next `openSoundFile`. The connection has what is in its memory and in files without a name. If it cannot read all, each
 * readable row is copied. Returns false if nothing could be written.
 */
export function rescueFile(file: DatabaseSync, path: string): boolean {
  const fresh = `${path}.rescuing`;
  for (const copy of [copyAll, copyReadable]) {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      for (const ending of ["", "-wal", "-shm", "-journal"]) rmSync(`${fresh}${ending}`, { force: true });
      copy(file, fresh, path);
      flush(fresh);
      renameSync(fresh, rescuedPath(path));
      flush(dirname(path));
      return true;
    } catch (error) {
      currentLogger().error({ file: path, error: String(error) }, "the lost queue file could not be copied");
    }
  }
  return false;
}

function copyAll(file: DatabaseSync, fresh: string): void {
  // Made before SQLite does, because of its mode.
  writeFileSync(fresh, "", { mode: 0o600 });
  chmodSync(fresh, 0o600);
  file.prepare("VACUUM INTO ?").run(fresh);
}

function copyReadable(file: DatabaseSync, fresh: string, path: string): void {
  const into = openLocalFile(fresh);
  try {
    copyRows(file, into, { marker: readMarker(path), salvaged: { pending: 0, settled: 0, withoutContent: 0 } });
  } finally {
    into.close();
  }
}

function flush(path: string): void {
  const opened = openSync(path, "r");
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}
