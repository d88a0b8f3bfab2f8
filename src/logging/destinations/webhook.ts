import { z } from "zod";
import { UpstreamError } from "#lib/errors.ts";
import { derivedHex } from "#lib/id.ts";
import { destination } from "#logging/destinations/destination.ts";
import type { CheckResult, DeliveryContext, DeliveryPreview, Destination } from "#logging/destinations/destination.ts";
import { sendInParts, type Entry, type Verdict } from "#logging/destinations/send-in-parts.ts";
import { toShrunkJson } from "#logging/destinations/shrink-json.ts";
import { describeAnswer, requestSink, toSinkError, type SinkAnswer } from "#logging/destinations/sink-request.ts";
import { toStandardLoggingPayload } from "#logging/destinations/standard-logging-payload.ts";
import { parseWebhookHeaders } from "#logging/destinations/webhook-headers.ts";
import { parseWebhookUrl, signWebhook, toWebhookTarget } from "#logging/destinations/webhook-target.ts";
import type { WebhookTarget, WebhookTargetVars } from "#logging/destinations/webhook-target.ts";
import type { LogRecord } from "#logging/record.ts";

const text = z.string().trim();

const address = text.refine(
  (url) => url === "" || parseWebhookUrl(url) !== null,
  "must be an http or https address without user and fragment",
);

const headers = text.superRefine((value, issues) => {
  const parsed = parseWebhookHeaders(value);
  if ("fault" in parsed) issues.addIssue({ code: "custom", message: parsed.fault });
});

const WebhookVars = z.object({
  webhook_url: address.optional().meta({
    title: "URL",
    description: "Takes a POST with a JSON array of records. Answers of 200 to 299 acknowledge all of them.",
  }),
  webhook_secret: text.optional().meta({
    title: "Signing secret",
    description: "Signs every request in the header x-sluice-signature.",
    secret: true,
  }),
  webhook_headers: headers.optional().meta({
    title: "Headers",
    description: 'More headers, as a JSON object or as "name=value,name2=value2".',
    secret: true,
  }),
  GENERIC_LOGGER_ENDPOINT: address
    .optional()
    .meta({ title: "URL (other name)", description: "Wins over webhook_url.", aliasOf: "webhook_url" }),
  GENERIC_LOGGER_HEADERS: headers.optional().meta({
    title: "Headers (other name)",
    description: "Win over webhook_headers.",
    secret: true,
    aliasOf: "webhook_headers",
  }),
});

/** The same when stored records are sent: what is wrong makes them wait, in words of ours. */
const StoredWebhookVars = WebhookVars.extend({
  webhook_url: z.string().optional(),
  webhook_headers: z.string().optional(),
  GENERIC_LOGGER_ENDPOINT: z.string().optional(),
  GENERIC_LOGGER_HEADERS: z.string().optional(),
});

const limits = { batchRecordsMax: 500, batchBytesMax: 2 * 1024 * 1024 };
const requestBytesMax = 4 * 1024 * 1024;
const recordBytesMax = 2 * 1024 * 1024;
const briefRecordBytesMax = 64 * 1024;

/**
 * A webhook of one's own: a JSON array of StandardLoggingPayload per request. `record_id` tells a record that comes
 * twice; `Idempotency-Key` is the same where the same records are sent again together.
 */
export const webhook: Destination = {
  ...destination({
    label: "Webhook",
    vars: StoredWebhookVars,
    limits,
    targetVars: ["webhook_url", "GENERIC_LOGGER_ENDPOINT"],
    env: { GENERIC_LOGGER_ENDPOINT: "webhook_url", GENERIC_LOGGER_HEADERS: "webhook_headers" },
    deliver: async (records, vars, context) => {
      const target = toWebhookTarget(vars);
      return sendInParts(records, {
        recordsMax: limits.batchRecordsMax,
        bytesMax: requestBytesMax,
        where: target.where,
        signal: context.signal,
        toText: (record, telling) => toText(record, telling === "brief" ? briefRecordBytesMax : recordBytesMax),
        post: async (entries) => post(target, context, toBatch(entries, context)),
        judge,
      });
    },
    check: checkWebhook,
    preview: previewWebhook,
  }),
  vars: WebhookVars,
};

/** A request's body, and the key by which a receiver tells that it comes again. */
function toBatch(
  entries: readonly Pick<Entry, "record" | "telling" | "text">[],
  { callbackId }: DeliveryContext,
): { body: string; key: string } {
  const ids = entries.map(({ record, telling }) => `${record.recordId} ${telling}`);
  return { body: `[${entries.map(({ text: entry }) => entry).join(",")}]`, key: derivedHex([callbackId, ...ids], 16) };
}

/** Every header's value that a person set is masked, and the signature, which holds the time of sending. */
function previewWebhook(record: LogRecord, vars: WebhookTargetVars, context: DeliveryContext): DeliveryPreview {
  const target = toWebhookTarget(vars);
  const entry = { record, telling: "full" as const, text: toText(record, recordBytesMax) };
  const { body, key } = toBatch([entry], context);
  const masked = Object.keys(target.headers).map((name) => [name, "***"] as const);
  const headers = {
    ...Object.fromEntries(masked),
    ...headersOf(key),
    ...(target.secret === null ? {} : { "x-sluice-signature": "t=<epoch seconds of sending>,v1=***" }),
  };
  return { method: "POST", url: target.url, headers, body };
}

function headersOf(key: string): Record<string, string> {
  return { "content-type": "application/json", "idempotency-key": key };
}

function toText(record: LogRecord, bytesMax: number): string {
  return toShrunkJson(toStandardLoggingPayload(record), bytesMax);
}

async function post(
  target: WebhookTarget,
  context: DeliveryContext,
  { body, key, isTest = false }: { body: string; key: string; isTest?: boolean },
): Promise<SinkAnswer> {
  const all = {
    ...target.headers,
    ...headersOf(key),
    ...(isTest ? { "x-sluice-test": "true" } : {}),
    ...(target.secret === null ? {} : { "x-sluice-signature": signWebhook(target.secret, body) }),
  };
  return requestSink({ method: "POST", url: target.url, headers: all, body, secrets: target.secrets }, context);
}

function judge({ status }: SinkAnswer): Verdict {
  if (status >= 200 && status < 300) return "delivered";
  if (status === 413) return "too_large";
  return status === 400 || status === 422 ? "refused" : "failed";
}

/**
 * Sends a marked test event, because nothing else tells whether records are taken. Any web server may answer 200 to it,
 * so that alone proves nothing: the receiver that repeats the event's `record_id` has read it.
 */
async function checkWebhook(vars: WebhookTargetVars, context: DeliveryContext): Promise<CheckResult> {
  try {
    const target = toWebhookTarget(vars);
    const key = derivedHex([context.callbackId, "test"], 16);
    const id = `test-${key}`;
    const answer = await post(target, context, { body: toTestBody(id), key, isTest: true });
    const verdict = judge(answer);
    if (verdict === "failed" || answer.isHtml) throw toSinkError(answer, target.where);
    if (verdict === "delivered") {
      return answer.text.includes(id)
        ? { state: "healthy", message: `${target.where} took a test event and repeated its id`, target: target.host }
        : { state: "unverified", message: toldNothing(answer, target), target: target.host };
    }
    // It answers, and may well take records although it does not take an event without a call.
    const message = `${describeAnswer(answer, target.where)} (to a test event)`;
    return { state: "unverified", message, target: target.host };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return { state: error.status === 429 ? "unverified" : "unhealthy", message: error.message, target: null };
  }
}

function toldNothing({ status }: SinkAnswer, { where }: WebhookTarget): string {
  return `${where} accepted a test event (${String(status)}) without repeating its record_id: it may drop records`;
}

function toTestBody(id: string): string {
  return JSON.stringify([
    {
      test: true,
      record_id: id,
      id: "test",
      call_type: "test",
      status: "success",
      messages: [{ role: "user", content: "This is a test of the webhook. No model was called." }],
      response: {},
    },
  ]);
}
