import { stateCell } from "#lib/state.ts";

/** Whose an entry is; nobody else's calls ever find it. */
export type CacheOwner = { scope: string; key: string };

/** Keeps answers for a while. What it has forgotten, or cannot reach, is a miss. */
export type ResponseCache = {
  find(owner: CacheOwner): Promise<Buffer | null>;
  store(owner: CacheOwner, value: Buffer, ttlMs: number): Promise<void>;
  close(): void;
};

/** The cache of this process' calls; not set where caching is off. */
export const responseCacheState = stateCell<ResponseCache>("response-cache");
