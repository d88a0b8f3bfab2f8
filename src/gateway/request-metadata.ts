import { z } from "zod";
import type { Caller } from "#keys/caller.ts";
import { AppError } from "#lib/errors.ts";
import { hasHeaderLike } from "#lib/header-names.ts";
import { isJsonObject, type Json, type JsonObject } from "#logging/record.ts";
import { isTooDeep, readJson, tooDeepMessage } from "#lib/read-json.ts";

/** Header names `langfuse_<field>`, also spelled with dashes, because proxies drop underscores. */
const langfuseHeader = /^(?:x-)?langfuse[_-](.+)$/;

/** For what JSON.parse returns, which is JSON by its making. */
const ParsedJson = z.custom<Json>(() => true);

/** What a client may not say about itself, and LiteLLM's own containers. */
const reservedName = /^(user_api_key|litellm_|headers$|endpoint$|proxy_server_request$|__proto__$)/;

/** Credentials, and where they would be sent: they never become metadata. */
const credentialName =
  /(^|_)(public_key|secret_key|secret|api_key|access_key|access_token|auth_token|password|authorization|cookie|service_account(_json)?)$|^(langfuse|langsmith|dd|gcs)_(host|base_url|site|endpoint)$/;

/** What Langfuse's own SDKs send in headers of this shape, which is no metadata. */
const sdkHeader = /^(host|sdk_name|sdk_version|ingestion_version)$/;

/**
 * The client's own metadata: body `metadata` (an object, or JSON text), then `litellm_metadata`, the `langfuse_*`
 * headers over both, session and trace ids of the body and the `x-litellm-*` headers where nothing else named them.
 * Reserved names and credentials are left out.
 */
export function readMetadata(body: JsonObject, headers: Headers): JsonObject {
  const metadata: JsonObject = {};
  for (const source of [toObject(body.metadata), toObject(body.litellm_metadata)]) {
    for (const [name, value] of Object.entries(source)) {
      if (!isReserved(name)) metadata[name] = value;
    }
  }
  for (const [name, value] of langfuseHeaders(headers)) {
    if (!isReserved(name) && !sdkHeader.test(name)) metadata[name] = value;
  }
  addSpendLogs(metadata, headers.get("x-litellm-spend-logs-metadata"));
  const session = text(headers.get("x-litellm-trace-id")) ?? text(headers.get("x-litellm-session-id"));
  const sessionId = text(body.litellm_session_id) ?? session ?? text(body.litellm_trace_id);
  const traceId = text(body.litellm_trace_id) ?? session ?? text(body.litellm_session_id);
  if (sessionId !== null) metadata.session_id ??= sessionId;
  if (traceId !== null) metadata.trace_id ??= traceId;
  return metadata;
}

/**
 * Throws a 400 if metadata that came as JSON text, in a field, a form or a header, is nested too deeply to be read. Asked
 * before anything is paid for.
 */
export function assertMetadataReadable(body: JsonObject, headers: Headers): void {
  const fields = [body, toObject(body.metadata), toObject(body.litellm_metadata)].flatMap((place) =>
    jsonFields.map((name) => [name, place[name]] as const),
  );
  const inHeaders = ["x-litellm-spend-logs-metadata"].map((name) => [name, headers.get(name)] as const);
  const ofLangfuse = langfuseHeaders(headers).map(([field, value]) => [`langfuse_${field}`, value] as const);
  for (const [param, value] of [...fields, ...inHeaders, ...ofLangfuse]) {
    if (typeof value !== "string" || !isTooDeep(value) || !looksLikeJson(value)) continue;
    throw new AppError("bad_request", `${param}: ${tooDeepMessage}`, { type: "invalid_request_error", param });
  }
}

/** Fields that may hold an object or a list as JSON text. */
const jsonFields = ["metadata", "litellm_metadata", "spend_logs_metadata", "tags"] as const;

/**
 * The tags of a call without repetition: of the metadata, the body, the headers `langfuse_tags` and `x-litellm-tags`, key
 * and team, then LiteLLM's two of the user agent.
 */
export function readTags(body: JsonObject, headers: Headers, caller: Caller): string[] {
  const given = [
    ...texts(toObject(body.metadata).tags),
    ...texts(toObject(body.litellm_metadata).tags),
    ...texts(body.tags),
    ...langfuseHeaders(headers).flatMap(([field, value]) => (field === "tags" ? texts(value) : [])),
    ...splitList(headers.get("x-litellm-tags")),
    ...caller.tags,
  ];
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

/** Headers that were read: a call asks for the same ones several times, and going through all of them is slow. */
const fieldsRead = new WeakMap<Headers, readonly (readonly [string, Json])[]>();

/** The fields that `langfuse_<field>` headers name, JSON parsed, credentials and what SDKs send included. */
export function langfuseHeaders(headers: Headers): readonly (readonly [string, Json])[] {
  const known = fieldsRead.get(headers);
  if (known !== undefined) return known;
  const fields: [string, Json][] = [];
  const isAny = hasHeaderLike(headers, "langfuse");
  for (const [header, value] of isAny ? headers : []) {
    const field = langfuseHeader.exec(header)?.[1]?.replaceAll("-", "_");
    if (field !== undefined) fields.push([field, parseIfJson(value)]);
  }
  fieldsRead.set(headers, fields);
  return fields;
}

/** Whatever the spelling: `apiKey`, `API-KEY` and `api_key` are one name. */
function isReserved(name: string): boolean {
  const plain = name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toLowerCase();
  return reservedName.test(plain) || credentialName.test(plain);
}

/** The header's JSON object goes over what the body says under the same name. */
function addSpendLogs(metadata: JsonObject, header: string | null): void {
  const given = header === null ? {} : toObject(header);
  if (Object.keys(given).length === 0) return;
  metadata.spend_logs_metadata = { ...toObject(metadata.spend_logs_metadata), ...given };
}

function parseIfJson(value: string): Json {
  if (!looksLikeJson(value)) return value;
  try {
    return ParsedJson.parse(readJson(value));
  } catch {
    return value;
  }
}

function looksLikeJson(value: string): boolean {
  return /^\s*[[{]/.test(value);
}

/** An object, or JSON text of one; anything else is an empty one. */
export function toObject(value: Json | undefined): JsonObject {
  const parsed = typeof value === "string" ? parseIfJson(value) : value;
  return isJsonObject(parsed) ? parsed : {};
}

function text(value: Json | undefined): string | null {
  return typeof value === "string" && value.trim() !== "" ? value : null;
}

/** A list, a list in JSON text, or a text with commas. */
function texts(value: Json | undefined): string[] {
  const parsed = typeof value === "string" ? parseIfJson(value) : value;
  if (typeof parsed === "string") return splitList(parsed);
  return Array.isArray(parsed) ? parsed.filter((part): part is string => typeof part === "string" && part !== "") : [];
}
