import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";

/**
 * SQLite's write-ahead log, read without SQLite: an empty database makes SQLite delete its log, although the log may hold
 * every page. https://www.sqlite.org/fileformat2.html#walformat
 */

const headerBytes = 32;
const frameHeaderBytes = 24;

type Checksum = { first: number; second: number };

/** Writes the committed pages of a log into a database file, and returns how many. Stops at the first invalid frame. */
export function applyWal(databasePath: string, walPath: string): number {
  const wal = openSync(walPath, "r");
  const database = openSync(databasePath, "r+");
  try {
    return applyFrames(wal, database);
  } finally {
    closeSync(wal);
    closeSync(database);
  }
}

function applyFrames(wal: number, database: number): number {
  const header = readAt(wal, 0, headerBytes);
  const magic = header?.readUInt32BE(0);
  if (header === null || (magic !== 0x377f0682 && magic !== 0x377f0683)) return 0;
  const isBigEndian = magic === 0x377f0683;
  const pageSize = header.readUInt32BE(8);
  const salts = header.subarray(16, 24);
  let checksum = sum({ first: 0, second: 0 }, header.subarray(0, 24), isBigEndian);
  if (!matches(checksum, header.subarray(24, 32)) || pageSize < 512 || pageSize > 65_536) return 0;
  let written = 0;
  let pending: { page: number; at: number }[] = [];
  for (let at = headerBytes; ; at += frameHeaderBytes + pageSize) {
    const frame = readAt(wal, at, frameHeaderBytes + pageSize);
    if (!frame?.subarray(8, 16).equals(salts)) return written;
    checksum = sum(sum(checksum, frame.subarray(0, 8), isBigEndian), frame.subarray(frameHeaderBytes), isBigEndian);
    if (!matches(checksum, frame.subarray(16, 24))) return written;
    pending.push({ page: frame.readUInt32BE(0), at: at + frameHeaderBytes });
    const pages = frame.readUInt32BE(4);
    if (pages === 0) continue;
    for (const { page, at: from } of pending) {
      const content = readAt(wal, from, pageSize);
      if (content !== null) writeSync(database, content, 0, pageSize, (page - 1) * pageSize);
    }
    written += pending.length;
    pending = [];
    if (fstatSync(database).size > pages * pageSize) ftruncateSync(database, pages * pageSize);
  }
}

function readAt(file: number, position: number, length: number): Buffer | null {
  const buffer = Buffer.alloc(length);
  return readSync(file, buffer, 0, length, position) === length ? buffer : null;
}

function sum({ first, second }: Checksum, bytes: Buffer, isBigEndian: boolean): Checksum {
  for (let at = 0; at < bytes.length; at += 8) {
    first = (first + second + (isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at))) >>> 0;
    second = (second + first + (isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4))) >>> 0;
  }
  return { first, second };
}

function matches({ first, second }: Checksum, stored: Buffer): boolean {
  return stored.readUInt32BE(0) === first && stored.readUInt32BE(4) === second;
}
