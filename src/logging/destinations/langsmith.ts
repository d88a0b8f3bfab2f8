import { z } from "zod";
import { UpstreamError } from "#lib/errors.ts";
import { sha256Hex } from "#lib/id.ts";
import { destination } from "#logging/destinations/destination.ts";
import type { CheckResult, DeliveryContext, DeliveryResult, Destination } from "#logging/destinations/destination.ts";
import { hasChosenId, isSteeredRun, toLangsmithRun } from "#logging/destinations/langsmith-run.ts";
import { sendInParts, type Verdict } from "#logging/destinations/send-in-parts.ts";
import { misconfigured, parseBaseUrl, requestSink, toSinkError } from "#logging/destinations/sink-request.ts";
import type { SinkAnswer, SinkRequest } from "#logging/destinations/sink-request.ts";
import type { LogRecord } from "#logging/record.ts";

const text = z.string().trim();

const LangsmithVars = z.object({
  langsmith_api_key: text.optional().meta({
    title: "API key",
    description: "Starts with lsv2_; in LangSmith under Settings, API keys. It decides in which workspace runs land.",
    secret: true,
  }),
  langsmith_project: text.max(200).optional().meta({ title: "Project", description: "Default litellm-completion." }),
  langsmith_base_url: text
    .refine((url) => url === "" || parseBaseUrl(url) !== null, "must be an http or https address")
    .optional()
    .meta({
      title: "Base URL",
      description: "Default https://api.smith.langchain.com; EU: https://eu.api.smith.langchain.com.",
    }),
  langsmith_tenant_id: text
    .max(200)
    .optional()
    .meta({ title: "Workspace", description: "The workspace's id, for a key of a whole organization." }),
  langsmith_sampling_rate: z.coerce
    .number<number | string>()
    .min(0)
    .max(1)
    .optional()
    .meta({ title: "Sampling rate", description: "The share of calls that are sent, from 0 to 1. Default 1." }),
});

/** The same when stored records are sent: what is wrong but not needed may not stop them. */
const StoredLangsmithVars = LangsmithVars.extend({
  langsmith_project: z.string().optional(),
  langsmith_base_url: z.string().optional(),
  langsmith_tenant_id: z.string().optional(),
  langsmith_sampling_rate: LangsmithVars.shape.langsmith_sampling_rate.catch(undefined),
});
type StoredLangsmithVars = z.output<typeof StoredLangsmithVars>;

/** Where runs go, ready for requests. */
type LangsmithTarget = {
  url: string;
  where: string;
  apiKey: string;
  headers: Record<string, string>;
  project: string;
};

/** LangSmith takes 100 runs and 20 MB a request. */
const limits = { batchRecordsMax: 100, batchBytesMax: 4 * 1024 * 1024 };
const requestBytesMax = 10 * 1024 * 1024;
const jsonHeaders = { "content-type": "application/json" };

/** LangSmith: every record becomes a run of type llm. A run's id is derived, so that a retry is known as one. */
export const langsmith: Destination = {
  ...destination({
    label: "LangSmith",
    vars: StoredLangsmithVars,
    limits,
    targetVars: ["langsmith_base_url"],
    env: {
      LANGSMITH_API_KEY: "langsmith_api_key",
      LANGSMITH_PROJECT: "langsmith_project",
      LANGSMITH_BASE_URL: "langsmith_base_url",
      LANGSMITH_TENANT_ID: "langsmith_tenant_id",
      LANGSMITH_SAMPLING_RATE: "langsmith_sampling_rate",
    },
    deliver: async (records, vars, context) => {
      const rate = vars.langsmith_sampling_rate ?? 1;
      const sampled = records.filter((record) => isSampled(record, rate));
      const sent = await sendRuns(sampled, vars, context);
      return records.map((record) => sent[sampled.indexOf(record)] ?? leftOut);
    },
    check: checkLangsmith,
    preview: previewLangsmith,
  }),
  vars: LangsmithVars,
};

const batchPath = "/runs/batch";
const leftOutMessage = "Not sent: left out by the sampling rate";
const leftOut: DeliveryResult = { outcome: "delivered", status: 0, message: leftOutMessage };

function toBatch(runs: readonly string[]): string {
  return `{"post":[${runs.join(",")}],"patch":[]}`;
}

function previewLangsmith(record: LogRecord, vars: StoredLangsmithVars, { callbackId }: DeliveryContext) {
  const { url, headers, project } = toTarget(vars);
  if (!isSampled(record, vars.langsmith_sampling_rate ?? 1)) throw new UpstreamError(0, leftOutMessage);
  return {
    method: "POST",
    url: `${url}${batchPath}`,
    headers: { ...headers, "x-api-key": "***", ...jsonHeaders },
    body: toBatch([JSON.stringify(toLangsmithRun(record, { callbackId, project, telling: "full" }))]),
  };
}

/** The same record is always in or always out, also in a retry. */
function isSampled(record: LogRecord, rate: number): boolean {
  return Number.parseInt(sha256Hex(`langsmith sampling ${record.recordId}`).slice(0, 8), 16) / 2 ** 32 < rate;
}

async function sendRuns(
  records: readonly LogRecord[],
  vars: StoredLangsmithVars,
  context: DeliveryContext,
): Promise<DeliveryResult[]> {
  const target = toTarget(vars);
  const { callbackId } = context;
  const taken = new Set<string>();
  return sendInParts(records, {
    recordsMax: limits.batchRecordsMax,
    bytesMax: requestBytesMax,
    where: target.where,
    signal: context.signal,
    toText: (record, telling) => {
      const options = { callbackId, project: target.project };
      const run = toLangsmithRun(record, { ...options, telling });
      // Of two runs with one id in a request LangSmith keeps one, and both are calls that a client made.
      const isTaken = telling === "full" && taken.has(run.id);
      taken.add(run.id);
      return JSON.stringify(isTaken ? toLangsmithRun(record, { ...options, telling: "plain" }) : run);
    },
    post: async (entries) =>
      request(target, context, {
        method: "POST",
        path: batchPath,
        body: toBatch(entries.map((entry) => entry.text)),
      }),
    judge: (answer, posted) =>
      judge(
        answer,
        posted.some((record) => isSteeredRun(record, callbackId)),
      ),
    isSteered: (record) => isSteeredRun(record, callbackId),
    hasChosenId: (record) => hasChosenId(record, callbackId),
  });
}

/**
 * 409 is a run that LangSmith knows: ours of an earlier try, or one whose id the client chose. A 207 took a part. A 404
 * can be about a project that a client named, and that client may not stop the whole team's records.
 */
function judge({ status, isHtml }: SinkAnswer, hasSteered: boolean): Verdict {
  if (isHtml) return status === 413 ? "too_large" : "failed";
  if (status === 207) return "refused";
  if (status >= 200 && status < 300) return "delivered";
  if (status === 409) return "duplicate";
  if (status === 413) return "too_large";
  return status === 400 || status === 422 || (status === 404 && hasSteered) ? "refused" : "failed";
}

/** Lists one project, as LangSmith's own client does to find its workspace; leaves nothing behind. */
async function checkLangsmith(vars: StoredLangsmithVars, context: DeliveryContext): Promise<CheckResult> {
  try {
    const target = toTarget(vars);
    const answer = await request(target, context, { method: "GET", path: "/sessions?limit=1" });
    if (answer.status === 403 && answer.text.includes("org_scoped_key_requires_workspace")) {
      return unhealthy("The API key is one of an organization: langsmith_tenant_id must name the workspace");
    }
    if (answer.status !== 200 || answer.isHtml) throw toSinkError(answer, target.where);
    if (!answer.text.trimStart().startsWith("[")) {
      return unhealthy(`${target.where} answered no list of projects: this is not the address of a LangSmith API`);
    }
    return {
      state: "healthy",
      message: `Runs land in the LangSmith project "${target.project}"; ${target.where} knows the API key`,
      target: target.project,
    };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return error.status === 429
      ? { state: "unverified", message: error.message, target: null }
      : unhealthy(error.message);
  }
}

function unhealthy(message: string): CheckResult {
  return { state: "unhealthy", message, target: null };
}

async function request(
  target: LangsmithTarget,
  context: DeliveryContext,
  { method, path, body }: Pick<SinkRequest, "method"> & { path: string; body?: string },
): Promise<SinkAnswer> {
  const headers = { ...target.headers, ...(body === undefined ? {} : jsonHeaders) };
  const rest = { headers, secrets: [target.apiKey], ...(body === undefined ? {} : { body }) };
  return requestSink({ method, url: `${target.url}${path}`, ...rest }, context);
}

/** LiteLLM's rule: `/api/v1` is added unless the address has it already. */
function toTarget(vars: StoredLangsmithVars): LangsmithTarget {
  const apiKey = vars.langsmith_api_key?.trim() ?? "";
  if (apiKey === "") throw misconfigured("LangSmith credentials are missing: langsmith_api_key");
  const url = parseBaseUrl(vars.langsmith_base_url?.trim() || "https://api.smith.langchain.com");
  if (url === null) throw misconfigured("langsmith_base_url is not an http or https address");
  const base = `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
  const tenantId = vars.langsmith_tenant_id?.trim() ?? "";
  return {
    url: url.pathname.includes("/api/v1") ? base : `${base}/api/v1`,
    where: `LangSmith at ${url.host}`,
    apiKey,
    headers: {
      "x-api-key": apiKey,
      accept: "application/json",
      ...(tenantId === "" ? {} : { "x-tenant-id": tenantId }),
    },
    project: vars.langsmith_project?.trim() || "litellm-completion",
  };
}
