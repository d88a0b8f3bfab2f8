import type { Caller } from "#keys/caller.ts";
import { toToken } from "#keys/key-row.ts";
import { findCallers } from "#keys/verify-key.ts";
import type { Db } from "#lib/db.ts";
import { sha256Hex } from "#lib/id.ts";

/** A request with more possible keys than this is not looked up. */
const candidatesMax = 16;

/** Shorter words are schemes such as `Bearer`, and no keys. */
const wordLengthMin = 8;

/**
 * Whose key a refused request carries, although not in the form or place that was read: without `Bearer`, quoted, behind
 * a scheme such as Basic, as a hash, in another header or in the query. `unclear`: it carries keys of several owners, or
 * too much that may be one.
 */
export async function findRefusedCaller(db: Db, request: Request): Promise<Caller | "nobody" | "unclear"> {
  const hashes = candidateHashes(request);
  if (hashes.size > candidatesMax) return "unclear";
  const owners = new Map<string, Caller>();
  for (const caller of await findCallers(db, hashes)) owners.set(caller.keyHash ?? "master", caller);
  if (owners.size > 1) return "unclear";
  return owners.values().next().value ?? "nobody";
}

/** The hashes of everything in a request that may be a key, one too many at most. */
function candidateHashes({ headers, url }: Request): Set<string> {
  const query = url.includes("?") ? [...new URL(url).searchParams] : [];
  const hashes = new Set<string>();
  for (const [name, value] of [...headers, ...query]) {
    for (const text of candidatesIn(name, value)) {
      hashes.add(sha256Hex(text)).add(toToken(text));
      if (hashes.size > candidatesMax) return hashes;
    }
  }
  return hashes;
}

/** What looks like a virtual key, wherever it stands, and every word where keys are sent. */
function candidatesIn(name: string, value: string): string[] {
  const isForKeys = /auth|key|token/i.test(name);
  const basic = isForKeys ? /^\s*basic\s+([a-z0-9+/=_-]+)\s*$/i.exec(value)?.[1] : undefined;
  const text = basic === undefined ? value : Buffer.from(basic, "base64").toString("utf8");
  const words = isForKeys ? text.split(/\s+/).filter((word) => word.length >= wordLengthMin) : [];
  const keys = text.match(/(?<![a-z0-9])sk-[\x21-\x7e]+/gi) ?? [];
  // Quotes, commas and the like end a key that we made.
  const plainKeys = text.match(/(?<![a-z0-9])sk-[\w-]+/gi) ?? [];
  return [...words, ...keys, ...plainKeys];
}
