import { Redis } from "ioredis";
import type { CacheOwner, ResponseCache } from "#gateway/cache/response-cache.ts";
import { keyringState, type SealPlace } from "#lib/seal.ts";

/** Keeps answers in Redis, sealed, for every gateway on it; while Redis is away every call is a miss. */
export function makeRedisCache(url: string): ResponseCache {
  const redis = new Redis(url, { maxRetriesPerRequest: 1, commandTimeout: 1_000, enableOfflineQueue: false });
  redis.on("error", () => undefined);
  return {
    async find(owner) {
      try {
        const sealed = await redis.getBuffer(nameOf(owner));
        return sealed && keyringState.get().open(sealed, placeOf(owner));
      } catch {
        return null;
      }
    },
    async store(owner, value, ttlMs) {
      const sealed = keyringState.get().seal(value, placeOf(owner));
      await redis.set(nameOf(owner), sealed, "PX", Math.max(1, Math.round(ttlMs))).catch(() => undefined);
    },
    close() {
      redis.disconnect();
    },
  };
}

function nameOf({ key }: CacheOwner): string {
  return `sluice:cache:${key}`;
}

function placeOf({ scope, key }: CacheOwner): SealPlace {
  return { purpose: "response_cache", scope, binding: key };
}
