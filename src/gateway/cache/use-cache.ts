import type { Call, RoutedCall } from "#gateway/call.ts";
import { findCached, storeCached, type CachedAnswer } from "#gateway/cache/cached-answer.ts";
import { planCache } from "#gateway/cache/plan-cache.ts";
import { findGroup } from "#gateway/choose-deployment.ts";
import type { LogRecord } from "#logging/record.ts";

/** An answer of the cache, and under which key it was found. */
export type CachedHit = CachedAnswer & { key: string };

/** The kept answer to a call; null where it has to be made, and `call.cache` then says where it is to be kept. */
export async function askCache(call: Call, model: string): Promise<{ call: RoutedCall; hit: CachedHit } | null> {
  const plan = planCache(call, model);
  if (plan === null) return null;
  const found = plan.isRead ? await findCached(plan) : null;
  if (found === null) {
    if (plan.isStored) call.cache = plan;
    return null;
  }
  const group = findGroup(call.start.caller, model);
  const deployment = group.find(({ id }) => id === found.deploymentId) ?? group[0];
  if (deployment === undefined) return null;
  return { call: { ...call, deployment, attempts: [], retries: 0, fallbacks: 0 }, hit: { ...found, key: plan.key } };
}

/** Keeps a successful answer where the call's cache takes it; that of a model that stood in is not kept. */
export function keepAnswer(
  { cache, deployment, fallbacks }: RoutedCall,
  record: LogRecord | null,
  { bytes, contentType = "application/json" }: { bytes: Buffer; contentType: string | undefined },
): void {
  if (cache === undefined || fallbacks > 0 || record?.status !== "success") return;
  const { response, usage } = record;
  storeCached(cache, { createdAtMs: Date.now(), deploymentId: deployment.id, contentType, response, usage, bytes });
}
