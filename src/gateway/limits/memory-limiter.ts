import { RateLimiterMemory } from "rate-limiter-flexible";
import type { Limiter } from "#gateway/limits/limiter.ts";

/** Limits are compared by the caller, who knows them; the windows only count. */
export const windowOptions = { points: Number.MAX_SAFE_INTEGER, duration: 60 } as const;

/** Counts for this process alone. */
export function makeMemoryLimiter(): Limiter {
  const windows = new RateLimiterMemory(windowOptions);
  const entered = new Map<string, number>();
  return {
    async add(name, amount) {
      const window = amount < 0 ? await windows.reward(name, -amount) : await windows.penalty(name, amount);
      return { used: window.consumedPoints, resetsAtMs: Date.now() + window.msBeforeNext };
    },
    async read(name) {
      const window = await windows.get(name);
      return window && { used: window.consumedPoints, resetsAtMs: Date.now() + window.msBeforeNext };
    },
    async enter(name, places) {
      const taken = entered.get(name) ?? 0;
      if (taken >= places) return null;
      entered.set(name, taken + 1);
      let isInside = true;
      return () => {
        if (!isInside) return;
        isInside = false;
        const left = (entered.get(name) ?? 1) - 1;
        if (left === 0) entered.delete(name);
        else entered.set(name, left);
      };
    },
    close: async () => undefined,
  };
}
