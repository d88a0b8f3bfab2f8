import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { loadConfig } from "#lib/config.ts";
import { embeddedDatabasePath, queueFilePath, takeDataDir, type DataDir } from "#lib/data-dir.ts";
import { openDatabase, type Database } from "#lib/db.ts";
import { readSettings, type Settings } from "#lib/env.ts";
import { AppError } from "#lib/errors.ts";
import { setLogger } from "#lib/logger.ts";
import { encryptionKeyId, makeKeyring } from "#lib/seal.ts";
import { databaseUrl, readSecrets } from "#lib/secrets.ts";
import { openQueuePool, type QueuePool } from "#logging/queue/database-pool.ts";
import { callbackStore } from "#logging/sealed/callback-store.ts";
import {
  checkSentinels,
  findLostKeys,
  kindNames,
  noteLostKey,
  registerKeys,
  retireOtherKeys,
} from "#logging/sealed/encryption-keys.ts";
import { databaseQueueStore, openQueueFileStore, type QueueFileStore } from "#logging/sealed/queue-stores.ts";
import { type ResealedKind, resealStores } from "#logging/sealed/reseal-stores.ts";

/** Where to read the settings from, and where the report goes, line by line. */
export type ResealParts = {
  env: Readonly<Record<string, string | undefined>>;
  args: readonly string[];
  print: (line: string) => void;
};

/** What the report says of the queue file: it was moved, or a gateway has it, or there is none. */
type QueueFile = { store: QueueFileStore | null; isTaken: boolean };

/**
 * Seals everything that is stored under the newest encryption key, and says what was moved and what is left. Runs beside
 * gateways on PostgreSQL; with the embedded database the gateway must be stopped. `--lost ID` notes first that the key
 * with this id is gone. Resolves with the exit code: 0, or 1 if values stay under keys that are neither configured nor
 * noted as lost. Throws an `AppError` that says what to do if it cannot run.
 */
export async function reseal({ env, args, print }: ResealParts): Promise<number> {
  const values = readArgs(args);
  const settings = readSettings(env, values.config === undefined ? [] : ["--config", values.config]);
  setLogger("silent");
  const loaded = loadConfig(settings.configFile, env);
  const url = databaseUrl(settings, loaded);
  const dataDir = takeOwnDataDir(settings, url);
  try {
    const {
      encryptionKeys: keys,
      isEncryptionKeyNew,
      encryptionKeyFrom,
    } = readSecrets(settings, loaded, {
      secret: dataDir?.secret ?? missing,
    });
    if (isEncryptionKeyNew) throw new AppError("bad_request", `${encryptionKeyFrom} is missing.`);
    const database = await openDatabase({ url, dataDir: embeddedDatabasePath(settings.dataDir) });
    const pool = url === null ? null : openQueuePool({ connectionString: url }, 1);
    const file = openQueueFile(settings, dataDir);
    try {
      await noteLost(database.db, values.lost ?? [], keys);
      return await resealAll({ db: database.db, pool, file, keys, print });
    } finally {
      file.store?.close();
      await pool?.close();
      await database.close();
    }
  } finally {
    dataDir?.release();
  }
}

const lostOption = { type: "string", multiple: true } as const;

function readArgs(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: { config: { type: "string" }, lost: lostOption } }).values;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("bad_request", `${reason}\nUse: npm run reseal [-- --config FILE] [-- --lost ID]`, { cause });
  }
}

type AllParts = {
  db: Database["db"];
  pool: QueuePool | null;
  file: QueueFile;
  keys: readonly string[];
  print: (line: string) => void;
};

async function resealAll({ db, pool, file, keys, print }: AllParts): Promise<number> {
  const keyring = makeKeyring(keys);
  const [newest = ""] = keyring.keyIds;
  const stores = [
    callbackStore(db),
    ...(pool === null ? [] : [databaseQueueStore(pool)]),
    ...(file.store === null ? [] : [file.store]),
  ];
  print(`The newest encryption key is ${newest}; former keys that are configured: ${list(keyring.keyIds.slice(1))}.`);
  const kinds = await resealStores(stores, keyring);
  const sentinels = await checkSentinels(db, keys);
  const opensValue = kinds.some(({ moved, current }) => current > 0 || Object.values(moved).some((count) => count > 0));
  // If nothing is stored, a former key in the list proves the newest one: otherwise the newest could not start alone.
  const isProved = opensValue || sentinels.isProved;
  await registerKeys(db, keys, isProved ? keys.slice(0, 1) : []);
  const lost = await findLostKeys(db);
  const left = kinds.map((kind) => report(kind, lost, print)).reduce((sum, count) => sum + count, 0);
  if (isProved && left === 0) await retireOtherKeys(db, newest);
  if (file.isTaken) {
    print("A gateway runs on this data directory. It moved its queue file to its newest key when it started.");
  }
  if (left > 0) print(`${String(left)} values are left: see above.`);
  else if (isProved || sentinels.neededIds.length === 0) print("Nothing is left under another key.");
  else print(refusedAlone(sentinels.neededIds));
  return left === 0 && (isProved || sentinels.neededIds.length === 0) ? 0 : 1;
}

/** Nothing is stored, but a gateway would not start with the configured keys. */
function refusedAlone(ids: readonly string[]): string {
  const lost = ids.map((id) => ` --lost ${id}`).join("");
  return (
    `A gateway would not start with these keys: it last used the key ${ids.join(" or ")}. Fix: list the former key behind ` +
    `a comma and run this again. If that key is lost for good, run: npm run reseal --${lost}`
  );
}

/** Prints what became of one kind. Returns how many values are left under a key that is not noted as lost. */
function report(kind: ResealedKind, lost: ReadonlySet<string>, print: (line: string) => void): number {
  const moved = Object.entries(kind.moved).map(([keyId, count]) => `${String(count)} from ${keyId}`);
  const numbers = `${String(kind.current)} under the newest key (moved there now: ${list(moved)})`;
  print(`${kindNames[kind.kind]}: ${numbers}, ${String(kind.unmovedCount)} not opened.`);
  for (const { id, keyId, reason } of kind.unmoved) {
    const why = reason === "damaged" ? "does not open, though its key is configured" : "needs this key";
    print(`  ${id}: key ${keyId} (${lost.has(keyId) ? "noted as lost" : why})`);
  }
  if (kind.unmovedCount > kind.unmoved.length) print("  … and more.");
  const left = Object.entries(kind.unmovedByKey).filter(([keyId]) => !lost.has(keyId));
  return left.reduce((sum, [, count]) => sum + count, 0);
}

async function noteLost(db: Database["db"], ids: readonly string[], keys: readonly string[]): Promise<void> {
  for (const id of ids) {
    if (!/^[0-9a-f]{8}$/.test(id)) {
      throw new AppError(
        "bad_request",
        `--lost ${id} is not the id of a key. Fix: use the eight digits that the refused start named, such as 1a2b3c4d.`,
      );
    }
    if (keys.some((key) => encryptionKeyId(key) === id)) {
      throw new AppError("bad_request", `--lost ${id} is configured, so it is not lost. Fix: leave it out.`);
    }
    await noteLostKey(db, id);
  }
}

/** The data directory, for this process alone. With PostgreSQL a gateway may have it: then null. */
function takeOwnDataDir(settings: Settings, url: string | null): DataDir | null {
  if (url === null) return takeDataDir(settings.dataDir);
  if (!existsSync(settings.dataDir)) return null;
  try {
    return takeDataDir(settings.dataDir);
  } catch (error) {
    if (error instanceof AppError && error.code === "conflict") return null;
    throw error;
  }
}

function openQueueFile({ dataDir }: Settings, own: DataDir | null): QueueFile {
  const path = queueFilePath(dataDir);
  if (own === null) return { store: null, isTaken: existsSync(path) };
  return { store: openQueueFileStore(path, { mayWrite: true }), isTaken: false };
}

/** Beside PostgreSQL every key is a setting. */
function missing(name: string): never {
  throw new Error(`The data directory was asked for ${name}.`);
}

function list(words: readonly string[]): string {
  return words.length === 0 ? "none" : words.join(", ");
}
