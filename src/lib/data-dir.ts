import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AppError } from "#lib/errors.ts";

/** The data directory while this process owns it. */
export type DataDir = {
  path: string;
  /** Reads a secret that was generated here, or generates it once, 0600. `isNew` says which. */
  secret(name: string, make: () => string): { value: string; isNew: boolean };
  release(): void;
};

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
      if (existsSync(file)) return { value: readFileSync(file, "utf8").trim(), isNew: false };
      const value = make();
      writeFileSync(file, `${value}\n`, { mode: 0o600, flag: "wx" });
      chmodSync(file, 0o600);
      return { value, isNew: true };
    },
    release() {
      lock.exec("ROLLBACK");
      lock.close();
    },
  };
}

/** Text of 32 random bytes, for generated secrets. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}
