import { LRUCache } from "lru-cache";
import type { CacheOwner, ResponseCache } from "#gateway/cache/response-cache.ts";

const bytesMax = 64 * 1024 * 1024;

/** Keeps up to 64 MB of answers in this process, those longest unused are forgotten first. */
export function makeMemoryCache(): ResponseCache {
  const entries = new LRUCache<string, Buffer>({ maxSize: bytesMax, sizeCalculation: (value) => value.length + 200 });
  return {
    find: async (owner) => entries.get(nameOf(owner)) ?? null,
    async store(owner, value, ttlMs) {
      entries.set(nameOf(owner), value, { ttl: ttlMs });
    },
    close() {
      entries.clear();
    },
  };
}

function nameOf({ scope, key }: CacheOwner): string {
  return `${scope} ${key}`;
}
