import { UpstreamError } from "#lib/errors.ts";

/** The project that records go to, ready for requests. */
export type LangfuseTarget = {
  /** The base URL without a slash at its end. */
  url: string;
  /** The host as messages name it. */
  host: string;
  publicKey: string;
  secretKey: string;
  environment: string | null;
  promptVersion: number | null;
  /** Null: found out by asking. */
  wire: LangfuseWire | null;
  defaultTags: readonly string[];
  proxyBaseUrl: string | null;
};

/** The two ways into a Langfuse server: OpenTelemetry traces, or the batch of servers before 3.22. */
export type LangfuseWire = "otlp" | "ingestion";

/** The variables as they are parsed for a delivery. */
export type LangfuseTargetVars = {
  langfuse_public_key?: string | undefined;
  langfuse_secret_key?: string | undefined;
  langfuse_secret?: string | undefined;
  langfuse_host?: string | undefined;
  langfuse_environment?: string | undefined;
  langfuse_prompt_version?: number | undefined;
  langfuse_wire?: LangfuseWire | undefined;
  /** Of `litellm_settings`, filled in for every callback; nobody else sets them. */
  langfuse_default_tags?: string[] | undefined;
  langfuse_proxy_base_url?: string | undefined;
};

/** What Langfuse takes as the name of an environment; empty is none. */
export const environmentPattern = /^(?!langfuse)[a-z0-9_-]{0,40}$/;

const defaultHost = "https://cloud.langfuse.com";

/**
 * Works out where to send and as whom; `langfuse_secret` wins over `langfuse_secret_key`. Throws `UpstreamError` with
 * fault `destination` where credentials are missing or the host is no URL, so that records wait for a correction.
 */
export function toLangfuseTarget(vars: LangfuseTargetVars, hostDefault = defaultHost): LangfuseTarget {
  const publicKey = firstGiven(vars.langfuse_public_key);
  const secretKey = firstGiven(vars.langfuse_secret, vars.langfuse_secret_key);
  if (publicKey === null || secretKey === null) {
    const missing = [publicKey === null ? "langfuse_public_key" : "", secretKey === null ? "langfuse_secret_key" : ""];
    throw misconfigured(`Langfuse credentials are missing: ${missing.filter((name) => name !== "").join(", ")}`);
  }
  const url = parseLangfuseHost(firstGiven(vars.langfuse_host) ?? hostDefault);
  if (url === null) throw misconfigured("langfuse_host is not an http or https address");
  const environment = firstGiven(vars.langfuse_environment);
  return {
    url: `${url.origin}${url.pathname.replace(/\/+$/, "")}`,
    host: url.host,
    publicKey,
    secretKey,
    environment: environment !== null && environmentPattern.test(environment) ? environment : null,
    promptVersion: vars.langfuse_prompt_version ?? null,
    wire: vars.langfuse_wire ?? null,
    defaultTags: vars.langfuse_default_tags ?? [],
    proxyBaseUrl: firstGiven(vars.langfuse_proxy_base_url),
  };
}

/** The URL of a host as people write it, https where no scheme is given; null where it is none of ours. */
export function parseLangfuseHost(host: string): URL | null {
  const text = host.trim();
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") return null;
  return url.search === "" && url.hash === "" ? url : null;
}

/** Credentials and our name, for every request. */
export function toLangfuseHeaders(target: LangfuseTarget): Record<string, string> {
  return { authorization: `Basic ${toBasicToken(target)}`, "x-langfuse-public-key": target.publicKey };
}

/** What no message may show. */
export function secretsOf(target: LangfuseTarget): string[] {
  return [target.secretKey, target.publicKey, toBasicToken(target)];
}

function toBasicToken(target: LangfuseTarget): string {
  return Buffer.from(`${target.publicKey}:${target.secretKey}`).toString("base64");
}

function firstGiven(...texts: readonly (string | undefined)[]): string | null {
  return texts.map((text) => text?.trim() ?? "").find((text) => text !== "") ?? null;
}

function misconfigured(message: string): UpstreamError {
  return new UpstreamError(0, message, { fault: "destination" });
}
