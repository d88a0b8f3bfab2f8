import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Keyring } from "#lib/seal.ts";
import { currentLogger } from "#lib/logger.ts";
import { openDatabaseQueue } from "#logging/queue/database.ts";
import { makeFallbackQueue } from "#logging/queue/fallback.ts";
import { openLocalQueue } from "#logging/queue/local.ts";
import type { OnDamage } from "#logging/queue/local-watch.ts";
import type { Queue } from "#logging/queue/queue.ts";

/**
 * Where the queue of a process lies. `databaseUrl` null: in the file at `path` alone. `keepsContent`: what was delivered
 * keeps its content until it expires.
 */
export type QueuePlace = {
  path: string;
  databaseUrl: string | null;
  keyring: Keyring;
  keepsContent: boolean;
  /** The file was found damaged while it was used: this process must open it again. */
  onDamage?: OnDamage;
};

/**
 * Opens the queue of this process. What an earlier process left in the file is adopted: it is delivered from there, or
 * moved to the database. Throws where the file cannot be opened.
 */
export async function openQueue(place: QueuePlace): Promise<Queue> {
  const { path, databaseUrl, keyring, keepsContent, onDamage } = place;
  const local = openLocalQueue({ path, keyring, keepsContent, onDamage });
  if (databaseUrl === null) return local;
  const owner = readOwner(join(dirname(path), "owner-id"));
  const connection = { connectionString: databaseUrl };
  const database = openDatabaseQueue({ connection, keyring, owner, keepsContent });
  // Nobody else has this directory, so whoever took leases under its name is dead.
  await database.release(owner).catch((error: unknown) => {
    currentLogger().warn({ error: String(error) }, "leases of an earlier process could not be ended");
  });
  return makeFallbackQueue({ database, local });
}

/** The name of a data directory among all that share the database. */
function readOwner(file: string): string {
  if (!existsSync(file)) writeFileSync(file, `${randomUUID()}\n`, { mode: 0o600 });
  return readFileSync(file, "utf8").trim();
}
