import { cachedCaller, generations, rememberCaller } from "#keys/caller-cache.ts";
import { strangerCaller, type Caller } from "#keys/caller.ts";
import { masterUserId } from "#keys/master-user.ts";
import { readCaller, readExisting } from "#keys/read-caller.ts";
import { configState } from "#lib/config.ts";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { sha256Hex } from "#lib/id.ts";
import { isMasterKeyHash } from "#lib/master-key.ts";
import { choosePolicy } from "#logging/policy.ts";

/** Who calls, or why they may not. A refusal names the key's owner too; `caller` is null if the key is nobody's. */
export type Identified = { caller: Caller; refusal: null } | { caller: Caller | null; refusal: AppError };

/** `identifyKey` for those who only let holders of valid keys in: throws the refusal. */
export async function verifyKey(db: Db, bearer: string | null, now = new Date()): Promise<Caller> {
  const { caller, refusal } = await identifyKey(db, bearer, now);
  if (refusal !== null) throw refusal;
  return caller;
}

/**
 * Tells who holds a bearer key, from a cache that key and team writes empty at once. Refuses with `unauthorized` in
 * LiteLLM's words: no, unknown, retired, blocked and expired keys, and keys of a blocked team.
 */
export async function identifyKey(db: Db, bearer: string | null, now = new Date()): Promise<Identified> {
  if (bearer === null) {
    return { caller: null, refusal: new AppError("unauthorized", "Authentication Error, No api key passed in.") };
  }
  const keyHash = sha256Hex(bearer);
  if (!bearer.startsWith("sk-") && !isMasterKeyHash(keyHash)) return { caller: null, refusal: noVirtualKey(bearer) };
  const caller = await findCaller(db, keyHash, now);
  if (caller === null || caller.isRetired) return { caller, refusal: unknownKey(bearer, keyHash) };
  if (caller.refusal !== null) {
    return { caller, refusal: new AppError("unauthorized", `Authentication Error, ${caller.refusal}`) };
  }
  const { expires } = caller;
  if (expires && expires.getTime() <= now.getTime()) return { caller, refusal: expiredKey(bearer, expires, now) };
  return { caller, refusal: null };
}

/** The holder of a key's hash, whether or not the key may be used; null if the hash is nobody's. */
export async function findCaller(db: Db, keyHash: string, now = new Date()): Promise<Caller | null> {
  const known = knownCaller(keyHash, now);
  if (known !== undefined) return known;
  const remember = remembering(now);
  const caller = await readCaller(db, keyHash);
  remember(keyHash, caller);
  return caller;
}

/**
 * The holders of those hashes that are somebody's, two at most. One query tells for all hashes together which those
 * are, so that a request with many invented keys costs no more than one with a single invented key.
 */
export async function findCallers(db: Db, keyHashes: Iterable<string>, now = new Date()): Promise<Caller[]> {
  const found: Caller[] = [];
  const unclear: string[] = [];
  for (const hash of keyHashes) {
    const known = knownCaller(hash, now);
    if (known === undefined) unclear.push(hash);
    else if (known !== null) found.push(known);
  }
  const remember = remembering(now);
  const existing = unclear.length === 0 ? new Set<string>() : await readExisting(db, unclear);
  for (const hash of unclear) {
    if (!existing.has(hash)) remember(hash, null);
    else if (found.length < 2) found.push(...[await findCaller(db, hash, now)].filter((caller) => caller !== null));
  }
  return found.slice(0, 2);
}

/** The master key's holder or what the cache says; undefined if only the database can tell. */
function knownCaller(keyHash: string, now: Date): Caller | null | undefined {
  return isMasterKeyHash(keyHash) ? masterCaller() : cachedCaller(keyHash, now.getTime());
}

/** Puts what is read from now on into the cache, unless something is written meanwhile. */
function remembering(now: Date): (keyHash: string, caller: Caller | null) => void {
  const generation = generations.current();
  const ttlMs = configState.get().general_settings.user_api_key_cache_ttl * 1000;
  return (keyHash, caller) => {
    if (generation === generations.current()) rememberCaller(keyHash, caller, { nowMs: now.getTime(), ttlMs });
  };
}

/** The holder of the master key: an administrator without key row or team, whose calls follow config.yaml. */
function masterCaller(): Caller {
  return {
    ...strangerCaller,
    role: "proxy_admin",
    userId: masterUserId,
    logging: choosePolicy({ teamId: null, key: null, team: null }, configState.get()),
    attribution: { ...strangerCaller.attribution, userId: masterUserId },
  };
}

/** First and last four characters of what was sent, as LiteLLM shows it; nothing of a short text. */
export function maskedKey(text: string): string {
  return text.length < 12 ? "****" : `${text.slice(0, 4)}****${text.slice(-4)}`;
}

function noVirtualKey(bearer: string): AppError {
  const expected = "Authentication Error, LiteLLM Virtual Key expected.";
  const message = `${expected} Received=${maskedKey(bearer)}, expected to start with 'sk-'.`;
  return new AppError("unauthorized", message, { logMessage: expected });
}

function unknownKey(bearer: string, keyHash: string): AppError {
  return new AppError(
    "unauthorized",
    `Authentication Error, Invalid proxy server token passed. Received API Key = sk-...${bearer.slice(-4)}, ` +
      `Key Hash (Token) =${keyHash}. Unable to find token in cache or \`LiteLLM_VerificationTokenTable\``,
    {
      type: "token_not_found_in_db",
      param: "key",
      logMessage: "Authentication Error, Invalid proxy server token passed.",
    },
  );
}

function expiredKey(bearer: string, expires: Date, now: Date): AppError {
  return new AppError(
    "unauthorized",
    `Authentication Error - Expired Key. Key Expiry time ${expires.toISOString()} and current time ${now.toISOString()}`,
    { type: "expired_key", param: `sk-...${bearer.slice(-4)}` },
  );
}
