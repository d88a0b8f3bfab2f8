import type { Database } from "#lib/db.ts";
import { currentLogger } from "#lib/logger.ts";
import { type Keyring, keyringState, makeKeyring } from "#lib/seal.ts";
import { makeSigner, signerState } from "#lib/sign.ts";
import { openQueuePool } from "#logging/queue/database-pool.ts";
import { callbackStore } from "#logging/sealed/callback-store.ts";
import { acceptKeys, describeCounts, findLostKeys, type GivenKeys } from "#logging/sealed/encryption-keys.ts";
import { databaseQueueStore, openQueueFileStore } from "#logging/sealed/queue-stores.ts";
import { resealStores } from "#logging/sealed/reseal-stores.ts";
import type { SealedStore } from "#logging/sealed/sealed-store.ts";
import { type SealedCount, surveySealed } from "#logging/sealed/survey.ts";
import { unopenedValuesState } from "#logging/sealed/unopened-values.ts";

/** What a start needs to check its encryption keys against. `databaseUrl` null: the embedded database. */
export type UnlockParts = {
  db: Database["db"];
  databaseUrl: string | null;
  queuePath: string;
  given: GivenKeys;
  /** Keeps keys that were generated just now; called once the start may go on with them. */
  onAccepted: () => void;
};

/** A start looks at so many values of a kind, so that a long queue does not hold it up. */
const lookedAtMax = 5_000;
const lookAgainMs = 60_000;

/**
 * Sets the keyring and the signer of this process, if its encryption keys fit what is stored in the database and in the
 * queue file. Throws an `AppError` that says what to do if none of them does. What only a missing key opens is counted
 * and warned of. With several keys, the queue file moves to the newest one, because only its own gateway can open it.
 */
export async function unlockStored({ db, databaseUrl, queuePath, given, onAccepted }: UnlockParts): Promise<void> {
  const keyring = makeKeyring(given.keys);
  const pool = databaseUrl === null ? null : openQueuePool({ connectionString: databaseUrl }, 1);
  const stores = [callbackStore(db), ...(pool === null ? [] : [databaseQueueStore(pool)])];
  try {
    const counts = [...(await surveySealed(stores, keyring, lookedAtMax)), ...(await surveyFile(queuePath, keyring))];
    await acceptKeys(db, given, { counts, onAccepted });
    if (keyring.keyIds.length > 1) await resealFile(queuePath, keyring);
    keyringState.set(keyring);
    signerState.set(makeSigner(given.keys));
    await noteUnopened(db, counts);
  } finally {
    await pool?.close();
  }
}

/** Says which values do not open, and looks from time to time whether they still are there. */
async function noteUnopened(db: Database["db"], counts: readonly SealedCount[]): Promise<void> {
  const unopened = await withoutLost(db, counts);
  unopenedValuesState.set(unopened);
  if (unopened.length === 0) return;
  currentLogger().error(
    { unopened: unopened.map(({ kind, keyId, reason, count }) => ({ kind, keyId, reason, count })) },
    `no configured encryption key opens ${describeCounts(unopened)}: add the missing key to SLUICE_ENCRYPTION_KEY behind a comma`,
  );
  const timer = setInterval(() => {
    void lookAgain(db).catch(() => undefined);
  }, lookAgainMs);
  timer.unref();
}

/** Secrets may be given again. Contents are dead letters once it is their turn, so their counts stay those of the start. */
async function lookAgain(db: Database["db"]): Promise<void> {
  const counts = await surveySealed([callbackStore(db)], keyringState.get(), lookedAtMax);
  const contents = unopenedValuesState.get().filter(({ kind }) => kind !== "callback_secret");
  unopenedValuesState.set([...(await withoutLost(db, counts)), ...contents]);
}

/** The values that do not open, without those whose key is noted as lost. */
async function withoutLost(db: Database["db"], counts: readonly SealedCount[]): Promise<SealedCount[]> {
  const lost = await findLostKeys(db);
  return counts.filter(({ keyId, reason }) => reason !== null && !lost.has(keyId));
}

/** A file that cannot be read says nothing about keys; whoever opens it for good tells of that. */
async function surveyFile(path: string, keyring: Keyring): Promise<SealedCount[]> {
  return withFile(path, false, async (store) => surveySealed([store], keyring, lookedAtMax));
}

async function resealFile(path: string, keyring: Keyring): Promise<void> {
  const [result] = await withFile(path, true, (store) => resealStores([store], keyring));
  const moved = Object.values(result?.moved ?? {}).reduce((sum, count) => sum + count, 0);
  if (moved > 0) currentLogger().info({ moved }, "the queue file was sealed under the newest encryption key");
}

async function withFile<T>(path: string, mayWrite: boolean, work: (store: SealedStore) => Promise<T[]>): Promise<T[]> {
  let store: ReturnType<typeof openQueueFileStore> = null;
  try {
    store = openQueueFileStore(path, { mayWrite });
    return store === null ? [] : await work(store);
  } catch (error) {
    currentLogger().warn({ file: path, error: String(error) }, "the keys of the queue file could not be checked");
    return [];
  } finally {
    store?.close();
  }
}
