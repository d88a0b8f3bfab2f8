import { createHmac } from "node:crypto";
import { misconfigured } from "#logging/destinations/sink-request.ts";
import { parseWebhookHeaders } from "#logging/destinations/webhook-headers.ts";

/** The variables that say where to send, and with what. The names in capitals are LiteLLM's. */
export type WebhookTargetVars = {
  webhook_url?: string | undefined;
  webhook_secret?: string | undefined;
  webhook_headers?: string | undefined;
  GENERIC_LOGGER_ENDPOINT?: string | undefined;
  GENERIC_LOGGER_HEADERS?: string | undefined;
};

/** Where records go, ready for requests. */
export type WebhookTarget = {
  url: string;
  host: string;
  where: string;
  secret: string | null;
  headers: Record<string, string>;
  /** What no message may show; the path too, because many services put a token into it. */
  secrets: string[];
};

/** Shorter parts of an address are words, not tokens. */
const addressSecretCharactersMin = 8;

/** The address of a webhook; null for anything but http and https, and for one with a user or a fragment. */
export function parseWebhookUrl(text: string): URL | null {
  const url = URL.parse(text.trim());
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  return url.username === "" && url.password === "" && url.hash === "" ? url : null;
}

/**
 * Works out where to send. Throws `UpstreamError` with fault `destination` where the address is missing or none, or a
 * header may not be set.
 */
export function toWebhookTarget(vars: WebhookTargetVars): WebhookTarget {
  // The operator's address, if any, is in webhook_url, and may not replace one that a team gave by the other name.
  const address = given(vars.GENERIC_LOGGER_ENDPOINT) ?? given(vars.webhook_url);
  if (address === null) throw misconfigured("The webhook has no address: webhook_url is missing");
  const url = parseWebhookUrl(address);
  if (url === null) throw misconfigured("webhook_url is not an http or https address without user and fragment");
  const parsed = parseWebhookHeaders(given(vars.GENERIC_LOGGER_HEADERS) ?? given(vars.webhook_headers) ?? "");
  if ("fault" in parsed) throw misconfigured(`webhook_headers: ${parsed.fault}`);
  const secret = given(vars.webhook_secret);
  return {
    url: url.href,
    host: url.host,
    where: `The webhook at ${url.host}`,
    secret,
    headers: parsed.headers,
    secrets: secretsOf(url, secret, Object.values(parsed.headers)),
  };
}

/**
 * The value of `x-sluice-signature`: `t=<epoch seconds of sending>,v1=<hex>`, where v1 is the HMAC-SHA256 under the
 * secret of the time's digits, a dot and the body's bytes. A receiver refuses old times and so repetitions by others.
 */
export function signWebhook(secret: string, body: string, now = new Date()): string {
  const seconds = String(Math.floor(now.getTime() / 1000));
  return `t=${seconds},v1=${createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex")}`;
}

/** Whole and in parts, because a receiver may echo a token without its scheme, or a part of the address. */
function secretsOf(url: URL, secret: string | null, headerValues: readonly string[]): string[] {
  const inHeaders = headerValues.flatMap((value) => [value, ...value.split(/\s+/), ...basicParts(value)]);
  const inAddress = [url.pathname + url.search, ...url.pathname.split("/"), ...url.searchParams.values()];
  return [
    ...(secret === null ? [] : [secret]),
    ...inHeaders,
    ...inAddress.filter((part) => part.length >= addressSecretCharactersMin),
  ];
}

/** User and password of a basic authorization. */
function basicParts(value: string): string[] {
  const [, token] = /^basic\s+(\S+)$/i.exec(value) ?? [];
  return token === undefined ? [] : Buffer.from(token, "base64").toString("utf8").split(":");
}

function given(text: string | undefined): string | null {
  const trimmed = text?.trim() ?? "";
  return trimmed === "" ? null : trimmed;
}
