import { closeSync, openSync, readSync, type Stats, statSync } from "node:fs";

/**
 * Finds out whether the names of the file and its log still lead to what is open, and whether they begin as they must. The
 * returned function answers null if they do.
 */
export function makeLossFinder(path: string, pageBytes: number): () => string | null {
  const log = `${path}-wal`;
  const { ino } = statSync(path);
  let logIno: number | null = null;
  return () => {
    const found = statOf(path);
    if (found?.ino !== ino) return "it was removed or replaced.";
    if (found.size < pageBytes) return "it was emptied.";
    if (readStart(path, 15).toString("latin1") !== "SQLite format 3") return "it was overwritten.";
    const foundLog = statOf(log);
    logIno ??= foundLog?.ino ?? null;
    if (logIno !== null && foundLog?.ino !== logIno) return "its log was removed or replaced.";
    // The log is empty until the first commit after a checkpoint.
    const isLog = foundLog === null || foundLog.size < 4 || (readStart(log, 4).readUInt32BE(0) & ~1) === 0x377f0682;
    return isLog ? null : "its log was emptied or overwritten.";
  };
}

function statOf(path: string): Stats | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null;
}

function readStart(path: string, bytes: number): Buffer {
  const file = openSync(path, "r");
  try {
    const start = Buffer.alloc(bytes);
    readSync(file, start, 0, bytes, 0);
    return start;
  } finally {
    closeSync(file);
  }
}
