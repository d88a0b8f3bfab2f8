import { z } from "zod";
import type { CachePlan } from "#gateway/cache/plan-cache.ts";
import { responseCacheState } from "#gateway/cache/response-cache.ts";
import type { StreamCopy } from "#gateway/stream-copy.ts";
import { isJsonObject, type JsonObject, type RecordUsage } from "#logging/record.ts";
import { readJson } from "#lib/read-json.ts";

/** An answer as it went out, and what the log says of it. */
export type CachedAnswer = {
  createdAtMs: number;
  deploymentId: string;
  contentType: string;
  response: JsonObject | null;
  usage: RecordUsage;
  bytes: Buffer;
};

const count = z.number();
const Head = z.object({
  createdAtMs: z.number(),
  deploymentId: z.string(),
  contentType: z.string(),
  response: z.custom<JsonObject>(isJsonObject).nullable(),
  usage: z.object({
    promptTokens: count,
    completionTokens: count,
    totalTokens: count,
    cacheReadTokens: count,
    cacheWriteTokens: count,
    reasoningTokens: count,
    isEstimated: z.literal(true).optional(),
  }),
});

/** A larger answer is not kept. */
const answerBytesMax = 1024 * 1024;

/** The answer that an earlier call of the same owner got to the same request; null where there is none that may be used. */
export async function findCached(plan: CachePlan): Promise<CachedAnswer | null> {
  const stored = await responseCacheState.find()?.find(plan);
  if (!stored) return null;
  const end = stored.indexOf(0);
  const head = readHead(stored.subarray(0, end).toString("utf8"));
  if (head === null || Date.now() - head.createdAtMs > plan.ageMsMax) return null;
  return { ...head, bytes: stored.subarray(end + 1) };
}

/** Null if an entry was damaged or another version wrote it: a miss, never a failed call. */
function readHead(text: string): z.output<typeof Head> | null {
  try {
    return Head.safeParse(readJson(text)).data ?? null;
  } catch {
    return null;
  }
}

/** Keeps an answer for the next call. It never fails this one. */
export function storeCached(plan: CachePlan, { bytes, ...head }: CachedAnswer): void {
  if (bytes.length > answerBytesMax) return;
  void store(plan, bytes, head).catch(() => undefined);
}

async function store(plan: CachePlan, bytes: Buffer, head: Omit<CachedAnswer, "bytes">): Promise<void> {
  // JSON has no zero byte, so the first one ends the head.
  const value = Buffer.concat([Buffer.from(`${JSON.stringify(head)}\0`, "utf8"), bytes]);
  await responseCacheState.find()?.store(plan, value, plan.ttlMs);
}

/** A stream's copy that also keeps the bytes that leave; `bytes()` is null where they became too many. */
export function recordBytes(copy: StreamCopy): { copy: StreamCopy; bytes(): Buffer | null } {
  let kept: Buffer[] | null = [];
  let length = 0;
  const keep = (parts: readonly Buffer[]): void => {
    for (const part of parts) length += part.length;
    if (length > answerBytesMax) kept = null;
    kept?.push(...parts);
  };
  return {
    copy: {
      ...copy,
      pass(piece) {
        const out = copy.pass(piece);
        keep(out);
        return out;
      },
      lastBytes() {
        const last = copy.lastBytes();
        keep([last]);
        return last;
      },
    },
    bytes: () => kept && Buffer.concat(kept),
  };
}
