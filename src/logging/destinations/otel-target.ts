import { assertUserHeaders } from "#lib/address-user-headers.ts";
import { AppError, UpstreamError } from "#lib/errors.ts";
import { toSafeWords } from "#logging/destinations/exchange.ts";
import { readJson } from "#lib/read-json.ts";

/** How an export is written. */
export type OtelProtocol = "http/json" | "http/protobuf";

/** The collector that spans go to, ready for requests. */
export type OtelTarget = {
  /** The address of its trace endpoint. */
  url: string;
  /** The host as messages name it. */
  host: string;
  headers: Record<string, string>;
  protocol: OtelProtocol;
};

/** The variables as they are parsed for a delivery. */
export type OtelTargetVars = {
  otel_endpoint?: string | undefined;
  otel_headers?: string | undefined;
  otel_protocol?: OtelProtocol | undefined;
};

/**
 * Works out where to send. Throws `UpstreamError` with fault `destination` where the endpoint is missing or no URL, or
 * the headers cannot be read, so that records wait for a correction.
 */
export function toOtelTarget(vars: OtelTargetVars): OtelTarget {
  const endpoint = vars.otel_endpoint?.trim() ?? "";
  if (endpoint === "") throw misconfigured("otel_endpoint is missing");
  const url = parseOtelEndpoint(endpoint);
  if (url === null) throw misconfigured("otel_endpoint is not an http or https address");
  const headers = parseOtelHeaders(vars.otel_headers ?? "");
  if (typeof headers === "string") throw misconfigured(`otel_headers: ${headers}`);
  return { url: url.href, host: url.host, headers, protocol: vars.otel_protocol ?? "http/json" };
}

/**
 * The trace endpoint of an address as people write it: https where no scheme is given, `/v1/traces` added where it is
 * missing or another signal's path stands there. Null where it is no address for us.
 */
export function parseOtelEndpoint(endpoint: string): URL | null {
  const text = endpoint.trim();
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") return null;
  if (url.hash !== "") return null;
  const path = url.pathname.replace(/\/+$/, "");
  if (/\/v1\/(traces|metrics|logs)$/.test(path)) url.pathname = path.replace(/[a-z]+$/, "traces");
  else url.pathname = path.endsWith("/v1") ? `${path}/traces` : `${path}/v1/traces`;
  return url;
}

/**
 * The headers of `k=v,k2=v2` (split at the first `=`, values may be percent-encoded) or of a JSON object, with
 * lower-case names; a sentence that holds no value where they cannot be read or may not be set.
 */
export function parseOtelHeaders(text: string): Record<string, string> | string {
  const entries = text.trim().startsWith("{") ? readJsonHeaders(text) : readPairs(text);
  if (typeof entries === "string") return entries;
  const headers = Object.fromEntries(entries.map(([name, value]) => [name.trim().toLowerCase(), value.trim()]));
  try {
    assertUserHeaders(headers);
    return headers;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.message;
  }
}

/** What the other side said, in at most 500 characters and without what the headers hold, which it may have echoed. */
export function toSafeOtelWords(text: string, target: OtelTarget): string {
  return toSafeWords(
    text,
    Object.values(target.headers).flatMap((value) => [value, ...value.split(" ")]),
    4,
  );
}

function readJsonHeaders(text: string): [string, string][] | string {
  try {
    const value: unknown = readJson(text);
    const entries = Object.entries(typeof value === "object" && value !== null ? value : {});
    const isText = (entry: [string, unknown]): entry is [string, string] => typeof entry[1] === "string";
    return entries.every(isText) ? entries : "every value of the JSON object must be a text";
  } catch {
    return "this is not valid JSON";
  }
}

function readPairs(text: string): [string, string][] | string {
  const pairs = text.split(",").filter((pair) => pair.trim() !== "");
  if (pairs.some((pair) => pair.indexOf("=") < 1)) return "must be name=value pairs separated by commas, or JSON";
  return pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), decode(pair.slice(pair.indexOf("=") + 1))]);
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function misconfigured(message: string): UpstreamError {
  return new UpstreamError(0, message, { fault: "destination" });
}
