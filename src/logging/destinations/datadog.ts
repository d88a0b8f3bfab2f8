import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { z } from "zod";
import { UpstreamError } from "#lib/errors.ts";
import { toDatadogEntry, type DatadogNames } from "#logging/destinations/datadog-entry.ts";
import { datadogAgentHostPattern, datadogSitePattern, toDatadogTarget } from "#logging/destinations/datadog-target.ts";
import type { DatadogTarget } from "#logging/destinations/datadog-target.ts";
import { destination } from "#logging/destinations/destination.ts";
import type { CheckResult, Destination, DeliveryContext } from "#logging/destinations/destination.ts";
import { sendInParts, type Verdict } from "#logging/destinations/send-in-parts.ts";
import { parseBaseUrl, requestSink, toSinkError, type SinkAnswer } from "#logging/destinations/sink-request.ts";

const text = z.string().trim();

/** Blank texts occur in users' files and mean that nothing is given. */
const matching = (pattern: RegExp, message: string) =>
  text.refine((value) => value === "" || pattern.test(value), message);

const DatadogVars = z.object({
  dd_api_key: text.optional().meta({
    title: "API key",
    description: "In Datadog under Organization settings, API keys. It decides in which organization logs land.",
    secret: true,
  }),
  dd_site: matching(datadogSitePattern, "must be a plain host name such as datadoghq.eu")
    .optional()
    .meta({ title: "Site", description: "Default datadoghq.com; for example datadoghq.eu, us5.datadoghq.com." }),
  dd_agent_host: matching(datadogAgentHostPattern, "must be a plain host name")
    .optional()
    .meta({ title: "Agent host", description: "A Datadog agent that takes logs over HTTP, instead of the site." }),
  dd_agent_port: z.coerce
    .number<number | string>()
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .meta({ title: "Agent port", description: "Default 10518." }),
  dd_base_url: text
    .refine((url) => url === "" || parseBaseUrl(url) !== null, "must be an http or https address")
    .optional()
    .meta({ title: "Base URL", description: "Stands in for all of Datadog's addresses, such as a proxy of your own." }),
  dd_source: text.optional().meta({ title: "Source", description: "ddsource of the logs. Default litellm." }),
  dd_service: text.optional().meta({ title: "Service", description: "Default litellm-server." }),
  dd_env: text.optional().meta({ title: "Environment", description: "The env tag. Default unknown." }),
  dd_version: text.optional().meta({ title: "Version", description: "The version tag. Default unknown." }),
});

/** The same when stored records are sent: what is wrong but not needed may not stop them. */
const StoredDatadogVars = DatadogVars.extend({
  dd_site: z.string().optional(),
  dd_agent_host: z.string().optional(),
  dd_agent_port: DatadogVars.shape.dd_agent_port.catch(undefined),
  dd_base_url: z.string().optional(),
});
type StoredDatadogVars = z.output<typeof StoredDatadogVars>;

const compress = promisify(gzip);
const logHeaders = { "content-type": "application/json", "content-encoding": "gzip" };

/** Datadog takes 1000 entries and 5 MB before compression; a request is all or nothing, and a refused one is halved. */
const limits = { batchRecordsMax: 200, batchBytesMax: 2 * 1024 * 1024 };
const requestBytesMax = 4_500_000;

/** Datadog logs: every record becomes a log event. Datadog knows no repetition, so a retry can show an event twice. */
export const datadog: Destination = {
  ...destination({
    label: "Datadog",
    vars: StoredDatadogVars,
    limits,
    targetVars: ["dd_site", "dd_agent_host", "dd_agent_port", "dd_base_url"],
    targetUrls: toTargetUrls,
    env: {
      DD_API_KEY: "dd_api_key",
      DD_SITE: "dd_site",
      DD_BASE_URL: "dd_base_url",
      DD_SOURCE: "dd_source",
      DD_SERVICE: "dd_service",
      DD_ENV: "dd_env",
      DD_VERSION: "dd_version",
    },
    deliver: async (records, vars, context) => {
      const target = toDatadogTarget(vars);
      const names = toNames(vars);
      return sendInParts(records, {
        recordsMax: limits.batchRecordsMax,
        bytesMax: requestBytesMax,
        where: target.where,
        signal: context.signal,
        toText: (record, telling) => toDatadogEntry(record, names, telling === "brief"),
        post: async (entries) => postLogs(`[${entries.map((entry) => entry.text).join(",")}]`, target, context),
        judge: (answer) => judge(answer, target),
      });
    },
    check: checkDatadog,
    preview: (record, vars) => {
      const target = toDatadogTarget(vars);
      return {
        method: "POST",
        url: target.logsUrl,
        headers: { ...logHeaders, ...(target.apiKey === null ? {} : { "dd-api-key": "***" }) },
        body: `[${toDatadogEntry(record, toNames(vars), false)}]`,
      };
    },
  }),
  vars: DatadogVars,
};

/** The key decides nothing here, and what `toDatadogTarget` refuses is never dialled. */
function toTargetUrls(vars: Readonly<Record<string, unknown>>): string[] {
  const parsed = StoredDatadogVars.safeParse({ ...vars, dd_api_key: "any" });
  if (!parsed.success) return [];
  try {
    const { logsUrl, validateUrl } = toDatadogTarget(parsed.data);
    return validateUrl === null ? [logsUrl] : [logsUrl, validateUrl];
  } catch (error) {
    if (error instanceof UpstreamError) return [];
    throw error;
  }
}

function toNames(vars: StoredDatadogVars): DatadogNames {
  return {
    source: vars.dd_source || "litellm",
    service: vars.dd_service || "litellm-server",
    environment: vars.dd_env || "unknown",
    version: vars.dd_version || "unknown",
  };
}

async function postLogs(body: string, target: DatadogTarget, context: DeliveryContext): Promise<SinkAnswer> {
  const headers = { ...toKeyHeader(target), ...logHeaders };
  const compressed = await compress(body, { level: 1 });
  return requestSink(
    { method: "POST", url: target.logsUrl, headers, body: compressed, secrets: secretsOf(target) },
    context,
  );
}

/** The intake acknowledges with 202 and nothing else; an agent with 200 too. */
function judge(answer: SinkAnswer, target: DatadogTarget): Verdict {
  const { status, isHtml } = answer;
  if (!isHtml && (status === 202 || (status === 200 && target.validateUrl === null))) return "delivered";
  if (status === 413) return "too_large";
  return !isHtml && (status === 400 || status === 422) ? "refused" : "failed";
}

/** Asks whether the key is valid, which leaves nothing behind. An agent has its own key and tells nothing of it. */
async function checkDatadog(vars: StoredDatadogVars, context: DeliveryContext): Promise<CheckResult> {
  try {
    const target = toDatadogTarget(vars);
    if (target.validateUrl === null) {
      return { state: "unverified", message: `${target.where} does not tell whether it can send`, target: target.name };
    }
    const headers = toKeyHeader(target);
    const answer = await requestSink(
      { method: "GET", url: target.validateUrl, headers, secrets: secretsOf(target) },
      context,
    );
    if (answer.status !== 200 || !/"valid"\s*:\s*true/.test(answer.text)) throw toSinkError(answer, target.where);
    return { state: "healthy", message: `${target.where} knows the API key`, target: target.name };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return { state: error.status === 429 ? "unverified" : "unhealthy", message: error.message, target: null };
  }
}

function toKeyHeader({ apiKey }: DatadogTarget): Record<string, string> {
  return apiKey === null ? {} : { "dd-api-key": apiKey };
}

function secretsOf({ apiKey }: DatadogTarget): string[] {
  return apiKey === null ? [] : [apiKey];
}
