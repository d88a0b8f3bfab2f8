import { LRUCache } from "lru-cache";
import type { Caller } from "#keys/caller.ts";
import { stateCell } from "#lib/state.ts";

type CachedCaller = { caller: Caller; untilMs: number };

/** Callers and unknown hashes have a cache each, so that requests with invented keys evict no caller. */
type CallerCache = { callers: LRUCache<string, CachedCaller>; unknownUntilMs: LRUCache<string, number> };

const cell = stateCell<CallerCache>("caller-cache");
const keysMax = 20_000;

/** How long a hash without a key is remembered, so that guessing keys does not reach the database. */
const unknownKeyMs = 5_000;

function caches(): CallerCache {
  const known = cell.find();
  if (known) return known;
  const made: CallerCache = { callers: new LRUCache({ max: keysMax }), unknownUntilMs: new LRUCache({ max: keysMax }) };
  cell.set(made);
  return made;
}

/** The caller behind a key's full SHA-256, null if there is none, undefined if the cache cannot tell. */
export function cachedCaller(keyHash: string, nowMs: number): Caller | null | undefined {
  const { callers, unknownUntilMs } = caches();
  const entry = callers.get(keyHash);
  if (entry && entry.untilMs > nowMs) return entry.caller;
  return (unknownUntilMs.get(keyHash) ?? 0) > nowMs ? null : undefined;
}

/** Remembers a caller for `ttlMs`, and the absence of one for five seconds at most. */
export function rememberCaller(keyHash: string, caller: Caller | null, until: { nowMs: number; ttlMs: number }): void {
  const { callers, unknownUntilMs } = caches();
  if (caller !== null) callers.set(keyHash, { caller, untilMs: until.nowMs + until.ttlMs });
  else {
    callers.delete(keyHash);
    unknownUntilMs.set(keyHash, until.nowMs + Math.min(until.ttlMs, unknownKeyMs));
  }
}

/** Drops one key, under the hashes that it had before it was regenerated too: its next call reads the database. */
export function forgetKey(keyHash: string): void {
  generations.bump();
  const { callers, unknownUntilMs } = caches();
  callers.delete(keyHash);
  unknownUntilMs.delete(keyHash);
  for (const [knownAs, { caller }] of callers.entries()) {
    if (caller.keyHash === keyHash) callers.delete(knownAs);
  }
}

/** Drops every key of a team: their next calls read the database. */
export function forgetTeam(teamId: string): void {
  generations.bump();
  const { callers } = caches();
  for (const [keyHash, { caller }] of callers.entries()) {
    if (caller.teamId === teamId) callers.delete(keyHash);
  }
}

/** Drops every key of a user: their next calls read the database, and with it the user's role. */
export function forgetUser(userId: string): void {
  generations.bump();
  const { callers } = caches();
  for (const [keyHash, { caller }] of callers.entries()) {
    if (caller.attribution.userId === userId) callers.delete(keyHash);
  }
}

/** Drops every key. */
export function forgetEveryCaller(): void {
  generations.bump();
  const { callers, unknownUntilMs } = caches();
  callers.clear();
  unknownUntilMs.clear();
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
