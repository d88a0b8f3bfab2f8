import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AppError } from "#lib/errors.ts";
import { currentLogger } from "#lib/logger.ts";

/** Where the embedded database lies in a data directory. */
export function embeddedDatabasePath(dataDir: string): string {
  return join(dataDir, "postgres");
}

/** Where the file of the local queue lies in a data directory. */
export function queueFilePath(dataDir: string): string {
  return join(dataDir, "queue", "records.sqlite");
}

/** The data directory while this process owns it. */
export type DataDir = {
  path: string;
  /**
   * Reads a secret that was generated here, or generates it. Throws an `AppError` if its file cannot be read or holds
   * too little.
   */
  secret(name: string, make: () => string): OwnSecret;
  release(): void;
};

/** A secret of a data directory. One that is new is written to its file, 0600, by `keep`. */
export type OwnSecret = { value: string; isNew: boolean; file: string; keep(): void };

const secretLengthMin = 16;

/**
 * Takes a data directory for this process, and throws where another process has it. The lock is a transaction that
 * stays open on a small SQLite file, so it ends with the process, however that ends.
 */
export function takeDataDir(path: string): DataDir {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const lock = new DatabaseSync(join(path, "lock.sqlite"));
  const ownerFile = join(path, "owner.pid");
  try {
    lock.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
  } catch (cause) {
    const owner = existsSync(ownerFile) ? ` (process ${readFileSync(ownerFile, "utf8").trim()})` : "";
    lock.close();
    throw new AppError(
      "conflict",
      `Another Sluice server${owner} is running on the data directory ${path}. Stop it, or set SLUICE_DATA_DIR to another directory.`,
      { cause },
    );
  }
  writeFileSync(ownerFile, `${String(process.pid)}\n`, { mode: 0o600 });
  return {
    path,
    secret(name, make) {
      const file = join(path, name);
      if (existsSync(file)) return { value: readSecret(file), isNew: false, file, keep: () => undefined };
      const value = make();
      return {
        value,
        isNew: true,
        file,
        keep: () => {
          writeSecret(file, value);
        },
      };
    },
    release() {
      lock.exec("ROLLBACK");
      lock.close();
    },
  };
}

function readSecret(file: string): string {
  const value = readFileOr(file, (reason) => {
    throw unusable(file, `cannot be read (${reason})`, "let the user that Sluice runs as read it");
  }).trim();
  if (value.length < secretLengthMin) {
    const fault = value === "" ? "is empty" : `holds fewer than ${String(secretLengthMin)} characters`;
    throw unusable(file, fault, "restore it from a backup, or delete it if nothing was ever stored here");
  }
  // After a crash, some file systems leave zero bytes in place of the content. Anybody can guess such a key.
  if (value.includes("\0")) {
    throw unusable(file, "holds zero bytes", "restore it from a backup, or delete it if nothing was ever stored here");
  }
  if ((statSync(file).mode & 0o077) !== 0) {
    currentLogger().warn({ file }, "others could read this key file; now only its owner can");
    chmodSync(file, 0o600);
  }
  return value;
}

function readFileOr(file: string, onFailure: (reason: string) => never): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    return onFailure(error instanceof Error && "code" in error ? String(error.code) : String(error));
  }
}

function unusable(file: string, fault: string, fix: string): AppError {
  return new AppError("bad_request", `The key file ${file} ${fault}. Fix: ${fix}.`);
}

/** Whole or absent, also if the process dies in between. */
function writeSecret(file: string, value: string): void {
  const draft = `${file}.new`;
  const descriptor = openSync(draft, "w", 0o600);
  writeSync(descriptor, `${value}\n`);
  fsyncSync(descriptor);
  closeSync(descriptor);
  chmodSync(draft, 0o600);
  renameSync(draft, file);
}

/** Text of 32 random bytes, for generated secrets. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}
