import type { Caller } from "#keys/caller.ts";
import { isJsonObject, type Json, type JsonObject } from "#logging/record.ts";

/** Header names `langfuse_<field>`, also spelled with dashes, because proxies drop underscores. */
const langfuseHeader = /^(?:x-)?langfuse[_-](.+)$/;

/** What a client may not say about itself, and credentials, which never become metadata. */
const reservedName =
  /^(user_api_key|litellm_|headers$|endpoint$|proxy_server_request$)|(^|_)(public_key|secret_key|secret|api_key|password|authorization|service_account|host|sdk_name|sdk_version|ingestion_version)$/;

/**
 * The client's own metadata: body `metadata` (an object, or JSON text), then `litellm_metadata`, the `langfuse_*`
 * headers over both, session and trace ids of the body and the `x-litellm-*` headers where nothing else named them.
 * Reserved names and credentials are left out.
 */
export function readMetadata(body: JsonObject, headers: Headers): JsonObject {
  const metadata: JsonObject = {};
  for (const source of [toObject(body.metadata), toObject(body.litellm_metadata)]) {
    for (const [name, value] of Object.entries(source)) {
      if (!reservedName.test(name)) metadata[name] = value;
    }
  }
  for (const [name, value] of langfuseHeaders(headers)) metadata[name] = value;
  const session = headers.get("x-litellm-trace-id") ?? headers.get("x-litellm-session-id");
  const sessionId = text(body.litellm_session_id) ?? session ?? text(body.litellm_trace_id);
  const traceId = text(body.litellm_trace_id) ?? session ?? text(body.litellm_session_id);
  if (sessionId !== null) metadata.session_id ??= sessionId;
  if (traceId !== null) metadata.trace_id ??= traceId;
  return metadata;
}

/**
 * The tags of a call without repetition: of the metadata, the body, the `x-litellm-tags` header, key and team, then
 * LiteLLM's two of the user agent.
 */
export function readTags(body: JsonObject, headers: Headers, caller: Caller): string[] {
  const metadata = toObject(body.metadata);
  const given = [...texts(metadata.tags), ...texts(body.tags), ...splitList(headers.get("x-litellm-tags")), ...caller.tags];
  const userAgent = headers.get("user-agent");
  if (userAgent) {
    const [product] = userAgent.split("/");
    given.push(`User-Agent: ${product ?? userAgent}`, `User-Agent: ${userAgent}`);
  }
  return [...new Set(given)];
}

/** The parts of a comma list, trimmed. */
export function splitList(value: string | null): string[] {
  if (value === null) return [];
  return value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function* langfuseHeaders(headers: Headers): Generator<[string, Json]> {
  for (const [header, value] of headers) {
    if (!header.includes("langfuse")) continue;
    const field = langfuseHeader.exec(header)?.[1]?.replaceAll("-", "_");
    if (field === undefined || reservedName.test(field)) continue;
    yield [field, parseIfJson(value)];
  }
}

function parseIfJson(value: string): Json {
  if (!/^\s*[[{]/.test(value)) return value;
  try {
    const parsed: Json = JSON.parse(value);
    return parsed;
  } catch {
    return value;
  }
}

function toObject(value: Json | undefined): JsonObject {
  const parsed = typeof value === "string" ? parseIfJson(value) : value;
  return isJsonObject(parsed) ? parsed : {};
}

function text(value: Json | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((part) => typeof part === "string") : [];
}
