import type { LangfuseSpanOptions } from "#logging/destinations/langfuse-content.ts";
import { toGatewayMetadata } from "#logging/destinations/langfuse-metadata.ts";
import type { LangfuseSteering } from "#logging/destinations/langfuse-steering.ts";
import { cutText } from "#logging/destinations/langfuse-cap.ts";
import type { Json, LogRecord } from "#logging/record.ts";

const tagCharactersMax = 200;

/**
 * The trace's tags: the request's own, then `name:value` for each of the operator's default tags that the call has a
 * value for. A continued trace keeps its tags unless the client lists them.
 */
export function toTraceTags(record: LogRecord, steering: LangfuseSteering, options: LangfuseSpanOptions): string[] {
  const names = steering.continuesTrace ? [] : (options.defaultTags ?? []);
  const added = names.flatMap((name) => {
    const value = valueOf(name, record, options);
    return value === null ? [] : [cutText(`${name}:${value}`, tagCharactersMax)];
  });
  return [...new Set([...steering.trace.tags, ...added])];
}

/** What the gateway knows comes first, so that a client cannot give itself another team's tag. */
function valueOf(name: string, record: LogRecord, options: LangfuseSpanOptions): string | null {
  if (name === "cache_hit") return String(record.cacheHit === true);
  if (name === "proxy_base_url") return options.proxyBaseUrl ?? null;
  const own = toGatewayMetadata(record);
  return toScalarText(Object.hasOwn(own, name) ? own[name] : record.requesterMetadata[name]);
}

function toScalarText(value: Json | undefined): string | null {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" && value !== "" ? value : null;
}
