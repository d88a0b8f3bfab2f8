import { misconfigured, parseBaseUrl } from "#logging/destinations/sink-request.ts";

/** The variables that say where to send and as whom. */
export type DatadogTargetVars = {
  dd_api_key?: string | undefined;
  dd_site?: string | undefined;
  dd_agent_host?: string | undefined;
  dd_agent_port?: number | undefined;
  dd_base_url?: string | undefined;
};

/** Where logs go, ready for requests. */
export type DatadogTarget = {
  logsUrl: string;
  /** Tells whether the key is valid; null for an agent, which does not tell. */
  validateUrl: string | null;
  /** The place as messages name it. */
  where: string;
  /** What a person knows the target by. */
  name: string;
  apiKey: string | null;
};

/** A host name with a dot in it and nothing else: no port, no path, no user. */
export const datadogSitePattern = /^(?=.{1,200}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/i;

/** A host name or an IPv4 address. */
export const datadogAgentHostPattern = /^[a-z0-9]([a-z0-9._-]{0,200}[a-z0-9])?$/i;

const defaultSite = "datadoghq.com";
const defaultAgentPort = 10_518;

/**
 * Works out where to send: `dd_base_url`, which stands in for Datadog's addresses, else the agent, else the site.
 * Throws `UpstreamError` with fault `destination` where the key is missing or an address is none.
 */
export function toDatadogTarget(vars: DatadogTargetVars): DatadogTarget {
  const apiKey = given(vars.dd_api_key);
  const baseUrl = given(vars.dd_base_url);
  const agentHost = given(vars.dd_agent_host);
  if (baseUrl === null && agentHost !== null) {
    if (!datadogAgentHostPattern.test(agentHost)) throw misconfigured("dd_agent_host is not a plain host name");
    const host = `${agentHost}:${String(vars.dd_agent_port ?? defaultAgentPort)}`;
    return {
      logsUrl: `http://${host}/api/v2/logs`,
      validateUrl: null,
      where: `The Datadog agent at ${host}`,
      name: host,
      apiKey,
    };
  }
  if (apiKey === null) throw misconfigured("Datadog credentials are missing: dd_api_key");
  if (baseUrl !== null) {
    const url = parseBaseUrl(baseUrl);
    if (url === null) throw misconfigured("dd_base_url is not an http or https address");
    const base = `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
    return {
      logsUrl: `${base}/api/v2/logs`,
      validateUrl: `${base}/api/v1/validate`,
      where: `Datadog at ${url.host}`,
      name: url.host,
      apiKey,
    };
  }
  const site = given(vars.dd_site) ?? defaultSite;
  if (!datadogSitePattern.test(site)) throw misconfigured("dd_site is not a plain host name such as datadoghq.eu");
  return {
    logsUrl: `https://http-intake.logs.${site}/api/v2/logs`,
    validateUrl: `https://api.${site}/api/v1/validate`,
    where: `Datadog at ${site}`,
    name: site,
    apiKey,
  };
}

function given(text: string | undefined): string | null {
  const trimmed = text?.trim() ?? "";
  return trimmed === "" ? null : trimmed;
}
