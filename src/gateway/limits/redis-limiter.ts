import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { z } from "zod";
import type { Limiter } from "#gateway/limits/limiter.ts";
import { makeMemoryLimiter, windowOptions } from "#gateway/limits/memory-limiter.ts";
import { currentLogger } from "#lib/logger.ts";
import { stateCell } from "#lib/state.ts";

/** True while Redis does not answer, so that each process counts for itself. */
export const limitsAreLocalState = stateCell<boolean>("limits-are-local");

/** Whether limits are counted per process because Redis is away, in Prometheus' text format. */
export function limitsMetric(): string {
  const name = "sluice_limits_are_local";
  const help = "1 while Redis does not answer, so that each process counts its limits for itself.";
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${limitsAreLocalState.find() === true ? "1" : "0"}\n`;
}

/** A place is held for this long after the last sign of life of its process. */
const leaseMs = 60_000;
const renewMs = 20_000;

/** Frees what is past its lease, then takes a place where one is free. The clock is Redis' own. */
const enterScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`;

const renewScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], 'XX', now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`;

/** Counts for every process on one Redis; for this one alone while Redis is away. */
export function makeRedisLimiter(url: string): Limiter {
  const redis = new Redis(url, { maxRetriesPerRequest: 1, commandTimeout: 1_000, enableOfflineQueue: false });
  redis.on("error", () => undefined);
  redis.on("ready", () => {
    limitsAreLocalState.set(false);
  });
  const local = makeMemoryLimiter();
  const windows = new RateLimiterRedis({ ...windowOptions, storeClient: redis, keyPrefix: "sluice:window" });
  const held = new Map<string, string>();
  const renewal = setInterval(() => {
    for (const [ticket, name] of held) void redis.eval(renewScript, 1, name, ticket, leaseMs).catch(() => undefined);
  }, renewMs);
  renewal.unref();

  /** Redis' answer, or this process' own where Redis gives none. */
  async function ask<T>(shared: () => Promise<T>, alone: () => Promise<T>): Promise<T> {
    try {
      return await shared();
    } catch (error) {
      if (limitsAreLocalState.find() !== true)
        currentLogger().error({ error: String(error) }, "Redis is away: each process counts its limits for itself");
      limitsAreLocalState.set(true);
      return alone();
    }
  }

  return {
    add: (name, amount) =>
      ask(
        async () => {
          const window = amount < 0 ? await windows.reward(name, -amount) : await windows.penalty(name, amount);
          return { used: window.consumedPoints, resetsAtMs: Date.now() + window.msBeforeNext };
        },
        () => local.add(name, amount),
      ),
    read: (name) =>
      ask(
        async () => {
          const window = await windows.get(name);
          return window && { used: window.consumedPoints, resetsAtMs: Date.now() + window.msBeforeNext };
        },
        () => local.read(name),
      ),
    enter: (name, places) =>
      ask(
        async () => {
          const [key, ticket] = [`sluice:places:${name}`, randomUUID()];
          const isIn = await redis
            .eval(enterScript, 1, key, places, ticket, leaseMs)
            .then((taken) => z.number().parse(taken) === 1)
            .catch((error: unknown) => {
              // Redis may have taken the place before its answer was lost.
              void redis.zrem(key, ticket).catch(() => undefined);
              throw error;
            });
          if (!isIn) return null;
          held.set(ticket, key);
          return () => {
            held.delete(ticket);
            void redis.zrem(key, ticket).catch(() => undefined);
          };
        },
        () => local.enter(name, places),
      ),
    async close() {
      clearInterval(renewal);
      redis.disconnect();
    },
  };
}
