import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Marker } from "#logging/queue/local-marker.ts";
import { rebuildInnerPages } from "#logging/queue/local-page-tree.ts";
import { type DamagedRow, readRows } from "#logging/queue/local-salvage-rows.ts";
import type { SqlRow } from "#logging/queue/local-row.ts";
import { applyWal } from "#logging/queue/local-wal.ts";

/** What was read out of a damaged file. */
export type Salvaged = {
  /** Deliveries that wait, and those that are settled. */
  pending: number;
  settled: number;
  /** Of those that wait, how many have no content any more. They count as lost, and become dead letters. */
  withoutContent: number;
};

const magic = "SQLite format 3\0";
/** SQLITE_FULL. */
const fullCode = 13;

/**
 * Copies what can be read of a damaged file into a fresh one, table by table. Works on a copy with its log applied, so
 * that the damaged file stays as it was found. `inTransaction` runs a part in one transaction of the fresh file.
 */
export function salvage(damaged: string, fresh: DatabaseSync, marker: Marker | null): Salvaged {
  const copy = `${damaged}.copy`;
  const salvaged: Salvaged = { pending: 0, settled: 0, withoutContent: 0 };
  let source: DatabaseSync | null = null;
  try {
    makeCopy(damaged, copy, marker);
    source = new DatabaseSync(copy, { defensive: false });
    // Without it SQLite refuses a file whose size is not the one in its header, or whose schema is odd.
    source.exec("PRAGMA writable_schema = ON");
    copyRows(source, fresh, { marker, salvaged });
  } catch (error) {
    // A full disk says nothing about the damaged file, and the copy is not complete.
    if (!(error instanceof Error && "errcode" in error) || error.errcode === fullCode) throw error;
    // Nothing is readable as a database. What was copied before stays.
    if (fresh.isTransaction) fresh.exec("COMMIT");
    return salvaged;
  } finally {
    if (source?.isOpen === true) source.close();
    for (const ending of ["", "-journal", "-wal", "-shm"]) rmSync(`${copy}${ending}`, { force: true });
  }
  return salvaged;
}

/** The damaged file with its log, in a form that SQLite opens: the size in the header is the file's, and no page is free. */
function makeCopy(damaged: string, copy: string, marker: Marker | null): void {
  copyFileSync(damaged, copy);
  if (existsSync(`${damaged}-wal`)) applyWal(copy, `${damaged}-wal`);
  const file = openSync(copy, "r+");
  try {
    const kept = marker === null ? null : Buffer.from(marker.firstPage, "base64");
    const header = Buffer.alloc(100);
    readSync(file, header, 0, 100, 0);
    if (!isHeader(header)) {
      if (kept === null || !isHeader(kept)) return;
      writeSync(file, kept, 0, kept.length, 0);
      kept.copy(header, 0, 0, 100);
    }
    const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
    const pages = Math.ceil(fstatSync(file).size / pageSize);
    ftruncateSync(file, pages * pageSize);
    // A rollback journal instead of a log, the size in pages, valid for this change counter, and an empty list of free pages.
    header.writeUInt8(1, 18);
    header.writeUInt8(1, 19);
    header.writeUInt32BE(pages, 28);
    header.writeUInt32BE(0, 32);
    header.writeUInt32BE(0, 36);
    header.writeUInt32BE(header.readUInt32BE(24), 92);
    writeSync(file, header, 0, 100, 0);
    const hasSchema = isSchemaPage(file);
    if (!hasSchema && kept !== null && kept.length === pageSize) writeSync(file, kept, 100, pageSize - 100, 100);
    const hasPointerMap = header.readUInt32BE(52) > 0;
    if (hasPointerMap) rebuildInnerPages(file, pageSize, header.readUInt8(20));
  } finally {
    closeSync(file);
  }
}

function isHeader(page: Buffer): boolean {
  const pageSize = page.length < 100 ? 0 : page.readUInt16BE(16);
  return (
    page.toString("latin1", 0, 16) === magic &&
    (pageSize === 1 || (pageSize >= 512 && (pageSize & (pageSize - 1)) === 0))
  );
}

/** Whether the first page can be the one of a schema: a leaf, or an inner page, of a table. */
function isSchemaPage(file: number): boolean {
  const type = Buffer.alloc(1);
  readSync(file, type, 0, 1, 100);
  return type[0] === 13 || type[0] === 5;
}

type Copying = { marker: Marker | null; salvaged: Salvaged };

const partRows = 500;

/** Copies every readable row into a fresh file, and counts in `salvaged`. */
export function copyRows(source: DatabaseSync, fresh: DatabaseSync, { marker, salvaged }: Copying): void {
  const callbacks = readCallbacks(source, marker);
  const into = prepareInto(fresh);
  const contentOf = makeContentReader(source);
  let inPart = 0;
  fresh.exec("BEGIN IMMEDIATE");
  for (const row of readRows(source)) {
    const callbackId = callbacks.get(row.callback);
    if (callbackId === undefined) continue;
    const content = row.content_id === null ? null : contentOf(row.content_id);
    if (into.add({ row, callbackId, content })) {
      if (row.state === 0) salvaged.pending += 1;
      else salvaged.settled += 1;
      if (row.state === 0 && content === null) salvaged.withoutContent += 1;
    }
    inPart += 1;
    if (inPart % partRows === 0) fresh.exec("COMMIT; BEGIN IMMEDIATE");
  }
  fresh.exec("COMMIT");
}

/** The ids of the callbacks by their numbers: from the file, and from the marker if the file does not say. */
function readCallbacks(source: DatabaseSync, marker: Marker | null): Map<number, string> {
  const known = Object.entries(marker?.callbacks ?? {}).map(([number, id]): [number, string] => [Number(number), id]);
  const callbacks = new Map(known);
  try {
    for (const row of source.prepare("SELECT number, callback_id FROM callback NOT INDEXED").iterate()) {
      if (typeof row.number === "number" && typeof row.callback_id === "string")
        callbacks.set(row.number, row.callback_id);
    }
  } catch {
    // What was read so far counts.
  }
  return callbacks;
}

type Content = { number: number; sealed: Uint8Array };

function makeContentReader(source: DatabaseSync): (contentId: number) => Content | null {
  let read: ReturnType<DatabaseSync["prepare"]>;
  try {
    read = source.prepare("SELECT number, sealed FROM content WHERE content_id = ?");
  } catch {
    return () => null;
  }
  return (contentId) => {
    try {
      const row: SqlRow = read.get(contentId) ?? {};
      const { number, sealed } = row;
      return typeof number === "number" && sealed instanceof Uint8Array ? { number, sealed } : null;
    } catch {
      return null;
    }
  };
}

/** Adds rows to the fresh file, which has the tables and nothing in them, with the counts and ranges that go with them. */
function prepareInto(fresh: DatabaseSync) {
  const addCallback = fresh.prepare("INSERT INTO callback (callback_id) VALUES (?) ON CONFLICT DO NOTHING");
  const findCallback = fresh.prepare("SELECT number FROM callback WHERE callback_id = ?");
  const addDelivery = fresh.prepare(
    `INSERT INTO delivery (id, record_id, callback, state, content_id, due_at_ms, tries, created_at_ms, settled_at_ms,
         status, call_id, team_id, key_hash, message, age_from_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const addContent = fresh.prepare(
    "INSERT INTO content (content_id, number, sealed) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const addRange = fresh.prepare(
    "INSERT INTO team_range (team_id, range) VALUES (?, CAST(? AS INTEGER)) ON CONFLICT DO NOTHING",
  );
  const states = ["pending", "delivered", "dead", "suppressed"];
  const counts = states.map((state) =>
    fresh.prepare(`UPDATE callback SET ${state} = ${state} + 1 WHERE callback_id = ?`),
  );

  function add({
    row,
    callbackId,
    content,
  }: {
    row: DamagedRow;
    callbackId: string;
    content: Content | null;
  }): boolean {
    addCallback.run(callbackId);
    const number = Number(findCallback.get(callbackId)?.number);
    const { changes } = addDelivery.run(
      ...[row.id, row.record_id, number, row.state, row.content_id, row.due_at_ms, row.tries, row.created_at_ms],
      ...[row.settled_at_ms, row.status, row.call_id, row.team_id, row.key_hash, row.message, row.age_from_ms],
    );
    if (Number(changes) === 0) return false;
    counts[row.state]?.run(callbackId);
    if (row.team_id !== null) addRange.run(row.team_id, Math.floor(row.id / 4096));
    if (row.content_id !== null && content !== null) addContent.run(row.content_id, content.number, content.sealed);
    return true;
  }

  return { add };
}
