import { langfuseHeaders, toObject } from "#gateway/request-metadata.ts";
import { currentLogger } from "#lib/logger.ts";
import { toRequestCredentials, type RequestCredentials } from "#logging/request-credentials.ts";
import type { JsonObject } from "#logging/record.ts";

/**
 * The Langfuse credentials that a request brings (LiteLLM's dynamic credentials): in its `langfuse_*` headers, the
 * body, or the body's metadata. The first of these places that names a secret decides, and gives the whole pair and the
 * host; halves of two places are never put together. Null where there are none, or none that can be used.
 */
export function readRequestCredentials(body: JsonObject, headers: Headers): RequestCredentials | null {
  const inHeaders = langfuseHeaders(headers).map(([field, value]) => [`langfuse_${field}`, value] as const);
  const places = [Object.fromEntries(inHeaders), body, toObject(body.metadata)];
  const found = [...places, toObject(body.litellm_metadata)].find(hasSecret);
  if (found === undefined) return null;
  const read = toRequestCredentials(found);
  if ("credentials" in read) return read.credentials;
  currentLogger().warn({ reason: read.fault }, "the Langfuse credentials of a request are ignored");
  return null;
}

function hasSecret(place: JsonObject): boolean {
  return place.langfuse_secret_key !== undefined || place.langfuse_secret !== undefined;
}
