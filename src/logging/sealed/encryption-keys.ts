import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction, lockName, type Transaction } from "#lib/in-transaction.ts";
import { encryptionKeyId, makeKeyring, type SealPlace } from "#lib/seal.ts";
import { makeSigner } from "#lib/sign.ts";
import type { SealedCount } from "#logging/sealed/survey.ts";

/** The encryption keys of a start. `from` names their setting or file; `isNew`: they were generated just now. */
export type GivenKeys = { keys: readonly string[]; from: string; isNew: boolean };

type KeyRow = { id: string; sentinel: string | null; lostAt: Date | null };

/** What the kinds are called in messages. */
export const kindNames = {
  callback_secret: "secrets of callbacks",
  queued_content: "queued records in the database",
  queue_file_content: "records in the queue file",
} as const;

/**
 * Lets a start go on only with a key that is proved: one that opens its own sentinel or a stored value, or any key if
 * nothing is stored yet. `counts` says what is stored. The keys become known then, and a proved one gets a sentinel;
 * without anything stored, the one that seals. `onAccepted` runs before anything is written. Throws an `AppError` with
 * what to do otherwise. Starts decide one after the other.
 */
export async function acceptKeys(
  db: Database["db"],
  given: GivenKeys,
  { counts, onAccepted }: { counts: readonly SealedCount[]; onAccepted: () => void },
): Promise<void> {
  await inTransaction(db, async (tx) => {
    await lockName(tx, "encryption keys");
    const rows: KeyRow[] = await tx.encryptionKey.findMany({ select: { id: true, sentinel: true, lostAt: true } });
    const lostIds = new Set(rows.filter(({ lostAt }) => lostAt !== null).map(({ id }) => id));
    const proved = given.keys.filter((key) => isProved(key, rows, counts));
    const givenIds = given.keys.map(encryptionKeyId);
    const closed = counts.filter(({ keyId, reason }) => reason === "missing_key" && !lostIds.has(keyId));
    const sentinels = rows.filter(({ id, sentinel }) => sentinel !== null && !lostIds.has(id));
    const isStored = closed.length > 0 || sentinels.some(({ id }) => !givenIds.includes(id));
    if (proved.length === 0 && isStored) throw refusal(given, { closed, sentinels });
    onAccepted();
    // A sentinel that its own key does not open is damaged, and worth nothing.
    await registerKeys(tx, given.keys, proved.length > 0 ? proved : given.keys.slice(0, 1));
  });
}

/** Stores the keys' ids and public keys, and sentinels of those that are proved. */
export async function registerKeys(
  tx: Transaction | Database["db"],
  keys: readonly string[],
  proved: readonly string[],
): Promise<void> {
  const { publicKeys } = makeSigner(keys);
  for (const [index, key] of keys.entries()) {
    const id = encryptionKeyId(key);
    const sentinel = proved.includes(key) ? { sentinel: makeKeyring([key]).sealText(id, sentinelPlace(id)) } : {};
    const row = await tx.encryptionKey.findUnique({ where: { id }, select: { sentinel: true, lostAt: true } });
    if (row?.lostAt === null && opensSentinel(key, row.sentinel ?? "")) continue;
    // Whoever has the key again has not lost it.
    const data = { publicKey: publicKeys[index] ?? {}, lostAt: null, ...sentinel };
    await tx.encryptionKey.upsert({ where: { id }, create: { id, ...data }, update: data, select: { id: true } });
  }
}

/**
 * Notes that everything that was sealed under other keys is under this one now. What proves the others goes, so that no
 * gateway starts with a retired key alone, which would open nothing. Their public keys stay.
 */
export async function retireOtherKeys(db: Database["db"], newestId: string): Promise<void> {
  await db.encryptionKey.updateMany({ where: { id: { not: newestId } }, data: { sentinel: null } });
}

/**
 * Whether one of these keys opens its own sentinel, and the ids of other keys whose sentinel keeps a gateway with these
 * keys alone from starting.
 */
export async function checkSentinels(
  db: Database["db"],
  keys: readonly string[],
): Promise<{ isProved: boolean; neededIds: string[] }> {
  const rows: KeyRow[] = await db.encryptionKey.findMany({ select: { id: true, sentinel: true, lostAt: true } });
  const givenIds = keys.map(encryptionKeyId);
  const others = rows.filter(
    ({ id, sentinel, lostAt }) => sentinel !== null && lostAt === null && !givenIds.includes(id),
  );
  return { isProved: keys.some((key) => isProved(key, rows, [])), neededIds: others.map(({ id }) => id) };
}

/** Notes that a key is lost, so that what it sealed keeps no gateway from starting. Nothing is removed. */
export async function noteLostKey(db: Database["db"], id: string): Promise<void> {
  const data = { lostAt: new Date() };
  await db.encryptionKey.upsert({ where: { id }, create: { id, ...data }, update: data, select: { id: true } });
}

/** The ids of the keys that are noted as lost. */
export async function findLostKeys(db: Database["db"]): Promise<Set<string>> {
  const rows = await db.encryptionKey.findMany({ where: { lostAt: { not: null } }, select: { id: true } });
  return new Set(rows.map(({ id }) => id));
}

/** Counts as a part of a sentence. */
export function describeCounts(counts: readonly Pick<SealedCount, "kind" | "count" | "isMore">[]): string {
  return counts
    .map(({ kind, count, isMore }) => `${isMore ? "at least " : ""}${String(count)} ${kindNames[kind]}`)
    .join(", ");
}

function isProved(key: string, rows: readonly KeyRow[], counts: readonly SealedCount[]): boolean {
  const id = encryptionKeyId(key);
  const sentinel = rows.find((row) => row.id === id)?.sentinel ?? null;
  if (sentinel !== null && opensSentinel(key, sentinel)) return true;
  return counts.some(({ keyId, reason }) => keyId === id && reason === null);
}

function opensSentinel(key: string, sentinel: string): boolean {
  const id = encryptionKeyId(key);
  try {
    return makeKeyring([key]).openText(sentinel, sentinelPlace(id)) === id;
  } catch {
    return false;
  }
}

function sentinelPlace(keyId: string): SealPlace {
  return { purpose: "sentinel", scope: "operator", binding: keyId };
}

function refusal(
  { from, isNew }: GivenKeys,
  stored: { closed: readonly SealedCount[]; sentinels: readonly KeyRow[] },
): AppError {
  const ids = [...new Set([...stored.sentinels.map(({ id }) => id), ...stored.closed.map(({ keyId }) => keyId)])];
  const held = stored.closed.length === 0 ? "" : ` (${describeCounts(stored.closed)})`;
  const fault = isNew ? "is missing" : "opens nothing of what is stored";
  const fix = isNew
    ? "restore the file from a backup, or set SLUICE_ENCRYPTION_KEY to the key that it held"
    : "set the key that was used before; to change it, list the new key first and the former one behind a comma";
  const lost = ids.map((id) => ` --lost ${id}`).join("");
  return new AppError(
    "bad_request",
    `${from} ${fault}. What is stored was sealed with the key ${ids.join(" or ")}${held}. Fix: ${fix}. ` +
      `If that key is lost for good, run: npm run reseal --${lost}`,
  );
}
