import { LRUCache } from "lru-cache";
import type { Caller } from "#keys/caller.ts";
import { stateCell } from "#lib/state.ts";

/** What the cache knows of a key's hash: who it is, or that there is no such key. */
type CachedCaller = { caller: Caller | null; untilMs: number };

const cell = stateCell<LRUCache<string, CachedCaller>>("caller-cache");
const keysMax = 20_000;

/** How long a hash without a key is remembered, so that guessing keys does not reach the database. */
const unknownKeyMs = 5_000;

function cache(): LRUCache<string, CachedCaller> {
  const known = cell.find();
  if (known) return known;
  const made = new LRUCache<string, CachedCaller>({ max: keysMax });
  cell.set(made);
  return made;
}

/** The caller behind a key's full SHA-256, null where there is none, undefined where the cache cannot tell. */
export function cachedCaller(keyHash: string, nowMs: number): Caller | null | undefined {
  const entry = cache().get(keyHash);
  if (!entry || entry.untilMs <= nowMs) return undefined;
  return entry.caller;
}

/** Remembers a caller for `ttlMs`, and the absence of one for five seconds at most. */
export function rememberCaller(keyHash: string, caller: Caller | null, until: { nowMs: number; ttlMs: number }): void {
  const ttlMs = caller ? until.ttlMs : Math.min(until.ttlMs, unknownKeyMs);
  cache().set(keyHash, { caller, untilMs: until.nowMs + ttlMs });
}

/** Drops one key, under the hashes that it had before it was regenerated too: its next call reads the database. */
export function forgetKey(keyHash: string): void {
  generations.bump();
  cache().delete(keyHash);
  for (const [knownAs, entry] of cache().entries()) {
    if (entry.caller?.keyHash === keyHash) cache().delete(knownAs);
  }
}

/** Drops every key of a team: their next calls read the database. */
export function forgetTeam(teamId: string): void {
  generations.bump();
  for (const [keyHash, entry] of cache().entries()) {
    if (entry.caller?.teamId === teamId) cache().delete(keyHash);
  }
}

/** Drops every key of a user: their next calls read the database, and with it his role. */
export function forgetUser(userId: string): void {
  generations.bump();
  for (const [keyHash, entry] of cache().entries()) {
    if (entry.caller?.attribution.userId === userId) cache().delete(keyHash);
  }
}

/** Drops every key. */
export function forgetEveryCaller(): void {
  generations.bump();
  cache().clear();
}

const generationCell = stateCell<number>("caller-cache-generation");

/**
 * Counts the writes. A reader that asked the database before a write and comes back after it must not put what it read
 * into the cache: it compares the generation before and after.
 */
export const generations = {
  current: (): number => generationCell.find() ?? 0,
  bump: (): void => {
    generationCell.set(generations.current() + 1);
  },
};
