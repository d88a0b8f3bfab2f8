import type { Call } from "#gateway/call.ts";
import type { CacheOwner } from "#gateway/cache/response-cache.ts";
import { findGroup } from "#gateway/choose-deployment.ts";
import { toUpstreamBody } from "#gateway/upstream-body.ts";
import { CacheControls } from "#keys/cache-controls.ts";
import type { Caller } from "#keys/caller.ts";
import { configState } from "#lib/config.ts";
import { AppError } from "#lib/errors.ts";
import { sha256Hex } from "#lib/id.ts";
import { isJsonObject } from "#logging/record.ts";

/** What the cache is to do about a call. */
export type CachePlan = CacheOwner & {
  isRead: boolean;
  isStored: boolean;
  ttlMs: number;
  /** An older answer is none. */
  ageMsMax: number;
};

/** Pictures, sound and forms are asked for anew each time. */
const cachedOperations = ["chat", "text", "embedding", "responses", "messages", "moderation", "rerank"];

/** What clients steer an answer with beside the body. */
const steeringHeaders = ["anthropic-version", "anthropic-beta"];

const ttlSecondsDefault = 600;

/**
 * Plans the cache for a call: config.yaml, then what key, team and request say, each of which may leave it out. Null
 * where it takes no part; a call that is not logged because team, key or request opted out leaves nothing here either.
 */
export function planCache(call: Call, model: string): CachePlan | null {
  const { cache, cache_params: params } = configState.get().litellm_settings;
  if (!cache) return null;
  const { operation, body, headers, caller } = call.start;
  const types = params.supported_call_types;
  const isTaken =
    types === undefined || types.includes(operation.callType) || types.includes(operation.callType.slice(1));
  if (!cachedOperations.includes(operation.name) || !isTaken || body.background === true) return null;
  if (call.plan.reason === "disabled" || call.plan.reason === "no-log") return null;
  const asked = CacheControls.parse(isJsonObject(body.cache) ? body.cache : {});
  const directives = (headers.get("cache-control") ?? "")
    .toLowerCase()
    .split(/\s*,\s*/)
    .filter((name) => isAllowed(caller, name));
  const said = [asked, ...caller.cacheControls];
  if (params.mode === "default_off" && !said.some((each) => each["use-cache"])) return null;
  const modelName = findGroup(caller, model)[0]?.modelName ?? model;
  const scope = caller.teamId === null ? `key:${caller.keyHash ?? "master"}` : `team:${caller.teamId}`;
  const sent = toUpstreamBody(body, {
    model: modelName,
    defaults: {},
    forwardsMetadata: operation.forwardsMetadata === true,
  });
  const steering = steeringHeaders.map((name) => headers.get(name));
  const namespace = asked.namespace ?? params.namespace ?? "";
  const ttlSeconds = said.find(({ ttl }) => ttl !== undefined)?.ttl ?? params.ttl ?? ttlSecondsDefault;
  return {
    scope,
    key: sha256Hex(sortedJson([scope, namespace, operation.name, steering, sent])),
    isRead: !directives.includes("no-cache") && !said.some((each) => each["no-cache"]),
    isStored: !directives.includes("no-store") && !said.some((each) => each["no-store"]),
    ttlMs: ttlSeconds * 1000,
    ageMsMax: (asked["s-maxage"] ?? Infinity) * 1000,
  };
}

/**
 * Throws 403 in LiteLLM's words where a request sets a control of the cache that its key may not set. A directive of the
 * header `cache-control`, which clients send unasked, is not heard then.
 */
export function assertControlsAllowed({ start: { body, caller } }: Call): void {
  if (caller.allowedCacheControls.length === 0 || !isJsonObject(body.cache)) return;
  const refused = Object.keys(body.cache).find((name) => !isAllowed(caller, name));
  if (refused === undefined) return;
  const message = `Not allowed to set ${refused} as a cache control. Contact admin to change permissions.`;
  throw new AppError("forbidden", message, { type: "auth_error", param: "cache" });
}

function isAllowed({ allowedCacheControls: allowed }: Caller, name: string): boolean {
  return allowed.length === 0 || allowed.includes(name);
}

/** JSON in which the order of an object's fields makes no difference. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([left], [right]) => (left < right ? -1 : 1)))
      : inner,
  );
}
