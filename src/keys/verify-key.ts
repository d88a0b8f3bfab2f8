import { timingSafeEqual } from "node:crypto";
import { cachedCaller, generations, rememberCaller } from "#keys/caller-cache.ts";
import { strangerCaller, type Caller } from "#keys/caller.ts";
import { masterUserId } from "#keys/master-user.ts";
import { readCaller } from "#keys/read-caller.ts";
import { configState } from "#lib/config.ts";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { sha256Hex } from "#lib/id.ts";
import { masterKeyState } from "#lib/master-key.ts";
import { choosePolicy } from "#logging/policy.ts";

/**
 * Tells who holds a bearer key, from a cache that key and team writes empty at once. Throws `unauthorized` in LiteLLM's
 * words for no, unknown, blocked and expired keys and for keys of a blocked team.
 */
export async function verifyKey(db: Db, bearer: string | null, now = new Date()): Promise<Caller> {
  if (bearer === null) throw new AppError("unauthorized", "Authentication Error, No api key passed in.");
  const keyHash = sha256Hex(bearer);
  if (isMasterKey(keyHash)) return masterCaller();
  if (!bearer.startsWith("sk-")) {
    throw new AppError(
      "unauthorized",
      `Authentication Error, LiteLLM Virtual Key expected. Received=${maskedKey(bearer)}, expected to start with 'sk-'.`,
    );
  }
  const caller = await findCaller(db, keyHash, now);
  if (!caller) throw unknownKey(bearer, keyHash);
  if (caller.refusal !== null) throw new AppError("unauthorized", `Authentication Error, ${caller.refusal}`);
  if (caller.expires && caller.expires.getTime() <= now.getTime()) throw expiredKey(bearer, caller.expires, now);
  return caller;
}

async function findCaller(db: Db, keyHash: string, now: Date): Promise<Caller | null> {
  const nowMs = now.getTime();
  const cached = cachedCaller(keyHash, nowMs);
  if (cached !== undefined) return cached;
  const generation = generations.current();
  const caller = await readCaller(db, keyHash);
  const ttlMs = configState.get().general_settings.user_api_key_cache_ttl * 1000;
  if (generation === generations.current()) rememberCaller(keyHash, caller, { nowMs, ttlMs });
  return caller;
}

function isMasterKey(keyHash: string): boolean {
  return timingSafeEqual(Buffer.from(keyHash), Buffer.from(masterKeyState.get().sha256));
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

function unknownKey(bearer: string, keyHash: string): AppError {
  return new AppError(
    "unauthorized",
    `Authentication Error, Invalid proxy server token passed. Received API Key = sk-...${bearer.slice(-4)}, ` +
      `Key Hash (Token) =${keyHash}. Unable to find token in cache or \`LiteLLM_VerificationTokenTable\``,
    { type: "token_not_found_in_db", param: "key" },
  );
}

function expiredKey(bearer: string, expires: Date, now: Date): AppError {
  return new AppError(
    "unauthorized",
    `Authentication Error - Expired Key. Key Expiry time ${expires.toISOString()} and current time ${now.toISOString()}`,
    { type: "expired_key", param: `sk-...${bearer.slice(-4)}` },
  );
}
