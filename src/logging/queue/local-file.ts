import { randomUUID } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DamagedQueue } from "#logging/queue/local-row.ts";

/** The version of the tables, kept in the file as `PRAGMA user_version`. */
const schemaVersion = 3;

/**
 * `delivery` holds no content, so a settled row is small and may stay for days. Its state is 0 pending, 1 delivered,
 * 2 dead, 3 suppressed. `call_id` is null where it equals `record_id`. The counts of `callback` are kept in the same
 * transaction as the rows they count, because counting would read every row.
 *
 * One index each: identity and find by record, find by call, claim and due, expire, the dead letters of a team.
 * `team_range` is what purging and listing a team needs, the ranges of delivery ids that hold rows of it: a full index
 * would write a page for every team of a group.
 */
const schema = `
  CREATE TABLE callback (
    number INTEGER PRIMARY KEY,
    callback_id TEXT NOT NULL UNIQUE,
    pending INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    suppressed INTEGER NOT NULL DEFAULT 0
  );
  CREATE TABLE content (content_id INTEGER PRIMARY KEY, number INTEGER NOT NULL, sealed BLOB NOT NULL);
  CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    record_id TEXT NOT NULL,
    callback INTEGER NOT NULL,
    state INTEGER NOT NULL,
    content_id INTEGER,
    due_at_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    settled_at_ms INTEGER,
    status INTEGER,
    call_id TEXT,
    team_id TEXT,
    key_hash TEXT,
    message TEXT
  );
  CREATE TABLE team_range (team_id TEXT NOT NULL, range INTEGER NOT NULL, PRIMARY KEY (team_id, range)) WITHOUT ROWID;
  CREATE UNIQUE INDEX delivery_identity ON delivery (record_id, callback);
  CREATE INDEX delivery_call ON delivery (call_id) WHERE call_id IS NOT NULL;
  CREATE INDEX delivery_pending ON delivery (callback, due_at_ms) WHERE state = 0;
  CREATE INDEX delivery_settled ON delivery (state, settled_at_ms) WHERE state <> 0;
`;

/**
 * What each version added to the one before it. `age_from_ms` is null where the age counts from the creation. `ids` are
 * the team's in a range that is full, the newest first, as a list without its brackets; null where nobody has looked yet,
 * or where they are many. Before, the range of the oldest rows could be missing.
 */
const upgrades = new Map([
  [2, "ALTER TABLE delivery ADD COLUMN age_from_ms INTEGER"],
  [
    3,
    `ALTER TABLE team_range ADD COLUMN ids TEXT;
     CREATE INDEX delivery_dead ON delivery (team_id, id) WHERE state = 2;
     INSERT OR IGNORE INTO team_range (team_id, range)
       SELECT DISTINCT team_id, id / 4096 FROM delivery WHERE team_id IS NOT NULL;`,
  ],
]);

/**
 * The exclusive lock makes the one owner of the file certain, and spares the shared-memory file and its locks. It ends
 * with the process, however that dies. Content is sealed, so `secure_delete` would only overwrite what is unreadable
 * already, and would cost a write for every freed page.
 */
const settings = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA page_size = 8192;
  PRAGMA auto_vacuum = INCREMENTAL;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA cache_size = -32000;
  PRAGMA wal_autocheckpoint = 2000;
  PRAGMA journal_size_limit = 33554432;
  PRAGMA secure_delete = OFF;
`;

/** Up to this size a file is verified with its indexes at the start; up to the second one, without them. */
const verifiedBytesMax = 64 * 1024 * 1024;
const glancedBytesMax = 1024 * 1024 * 1024;

/**
 * Opens the file of the local queue for this process alone, and makes it (0600, a missing directory 0700) where there
 * is none. Throws with the file's name where another process owns it, it is no queue, or a newer version wrote it.
 */
export function openLocalFile(path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Made before SQLite does, because SQLite gives the WAL the mode of the file.
  closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600);
  const file = new DatabaseSync(path, { timeout: 2000 });
  try {
    file.exec(settings);
    migrate(file);
    // What the marker keeps of the schema must be in the file itself.
    file.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return file;
  } catch (error) {
    file.close();
    throw new Error(`The queue file ${path} cannot be opened: ${openFailure(error)}`, { cause: error });
  }
}

/**
 * What is wrong with the file of a queue; null if it is sound. Damage in indexes alone is repaired. Throws as
 * `openLocalFile` does if another process owns the file or a newer version wrote it. The file stays as it is.
 */
export function inspectFile(path: string): string | null {
  // SQLite writes the log into the file when it closes, and a damaged file is to be kept as it was found.
  const hasLog = existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0;
  if (hasLog)
    for (const ending of ["", "-wal"])
      copyFileSync(`${path}${ending}`, `${path}.found${ending}`, constants.COPYFILE_FICLONE);
  const file = new DatabaseSync(path, { timeout: 2000 });
  let damage: string | null = null;
  try {
    file.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; ROLLBACK");
    damage = findFault(file, statSync(path).size);
  } catch (error) {
    if (isDamage(error)) damage = error instanceof Error ? error.message : String(error);
    else throw new Error(`The queue file ${path} cannot be opened: ${openFailure(error)}`, { cause: error });
  } finally {
    file.close();
    for (const ending of hasLog ? ["", "-wal"] : []) {
      if (damage === null) rmSync(`${path}.found${ending}`, { force: true });
      else renameSync(`${path}.found${ending}`, `${path}${ending}`);
    }
  }
  return damage;
}

const tables = ["callback", "content", "delivery"];

function findFault(file: DatabaseSync, bytes: number): string | null {
  const version = Number(file.prepare("PRAGMA user_version").get()?.user_version);
  if (version > schemaVersion) return null;
  const names = file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const missing = tables.filter((table) => !names.some(({ name }) => name === table));
  if (version === 0 ? names.length > 0 : missing.length > 0) return "it is no queue, or its tables are gone";
  if (bytes > glancedBytesMax) return null;
  const verify = bytes > verifiedBytesMax ? "quick_check" : "integrity_check";
  const faults = (): string[] =>
    file
      .prepare(`PRAGMA ${verify}(20)`)
      .all()
      .flatMap((row) => Object.values(row).map(String));
  let found = faults();
  if (found.join() === "ok") return null;
  if (found.every((fault) => fault.includes("index"))) {
    if (rebuildsIndexes(file)) found = faults();
  }
  return found.join() === "ok" ? null : found.slice(0, 3).join("; ");
}

/** SQLITE_CONSTRAINT. */
const constraintCode = 19;

/** False if the rows do not fit a unique index, because they were added while it was damaged. */
function rebuildsIndexes(file: DatabaseSync): boolean {
  try {
    file.exec("REINDEX");
    return true;
  } catch (error) {
    if (sqliteCode(error) === constraintCode) return false;
    throw error;
  }
}

/** The primary result code of an error of SQLite; 0 for any other error. */
function sqliteCode(error: unknown): number {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : 0;
}

/** True if SQLite says that a file is damaged, or that it is none of its own. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof DamagedQueue) return true;
  const code = sqliteCode(error);
  return code === 11 || code === 26 || isDamage(error.cause);
}

function migrate(file: DatabaseSync) {
  // Immediate, so that the lock is taken here and not at the first record.
  inTransaction(file, () => {
    const found = Number(file.prepare("PRAGMA user_version").get()?.user_version);
    if (found > schemaVersion) {
      const versions = `its tables have version ${String(found)}, this one knows ${String(schemaVersion)}`;
      throw new Error(`a newer version of Sluice wrote it (${versions}).`);
    }
    if (found === 0) file.exec(schema);
    for (const [version, upgrade] of upgrades) if (version > found) file.exec(upgrade);
    file.exec(`PRAGMA user_version = ${String(schemaVersion)}`);
    // Which file this is, so that another one in its place is noticed. Older versions leave it alone.
    file.exec("CREATE TABLE IF NOT EXISTS identity (id TEXT NOT NULL)");
    const { n } = file.prepare("SELECT count(*) AS n FROM identity").get() ?? {};
    if (n === 0) file.prepare("INSERT INTO identity (id) VALUES (?)").run(randomUUID());
  });
}

/**
 * Runs `work` in one transaction: all of it is on the disk when this returns, or none of it where it throws. `flush`
 * false leaves the flush to the next transaction: the work survives the death of the process, and a power cut may undo
 * it.
 */
export function inTransaction<T>(file: DatabaseSync, work: () => T, flush = true): T {
  if (!flush) file.exec("PRAGMA synchronous = NORMAL");
  try {
    file.exec("BEGIN IMMEDIATE");
    const result = work();
    file.exec("COMMIT");
    return result;
  } catch (error) {
    // A full disk makes SQLite roll back by itself.
    if (file.isTransaction) file.exec("ROLLBACK");
    throw error;
  } finally {
    if (!flush) file.exec("PRAGMA synchronous = FULL");
  }
}

function openFailure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (message === "database is locked") return "another process owns it. Stop that one, or choose another directory.";
  return message;
}
