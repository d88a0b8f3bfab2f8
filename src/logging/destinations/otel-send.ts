import { UpstreamError } from "#lib/errors.ts";
import type {
  CheckResult,
  DeliveryContext,
  DeliveryPreview,
  DeliveryResult,
} from "#logging/destinations/destination.ts";
import { headersOf, postSpans, toJsonExport, toOtelError, toOtelProtobuf } from "#logging/destinations/otel-request.ts";
import { toOtelSpan } from "#logging/destinations/otel-span.ts";
import { toOtelTarget } from "#logging/destinations/otel-target.ts";
import type { OtelTarget, OtelTargetVars } from "#logging/destinations/otel-target.ts";
import { sendHalves } from "#logging/destinations/send-halves.ts";
import type { LogRecord } from "#logging/record.ts";

/** Where to, on whose behalf, and whether content must stay out because the span was too large before. */
type OtelSending = { target: OtelTarget; context: DeliveryContext; brief: boolean };

/**
 * Sends the records as one export and judges the answer by OTLP's rules. What a collector refuses or rejects in part
 * is sent again in halves until only the records at fault are left, which are then dead with its words. Throws
 * `UpstreamError` where the collector as a whole is at fault or cannot take anything now.
 */
export async function sendToOtel(records: readonly LogRecord[], sending: OtelSending): Promise<DeliveryResult[]> {
  if (records.length === 0) return [];
  const { target, context, brief } = sending;
  const options = { callbackId: context.callbackId, brief };
  const answer = await postSpans(
    records.map((record) => toOtelSpan(record, options)),
    target,
    context,
  );
  const { status } = answer;
  const isTaken = status >= 200 && status < 300 && !answer.isHtml;
  if (isTaken && answer.rejected === 0)
    return records.map(() => ({ outcome: "delivered", status, ...toNote(answer.words, brief) }));
  const error = toOtelError(answer, target);
  const isRefusal = isTaken || status === 413 || error.fault === "record";
  if (!isRefusal) throw error;
  if (isTaken && answer.rejected >= records.length) return allDead(records, status, error.message);
  if (records.length > 1) return sendHalves(records, (half) => sendToOtel(half, sending));
  if (status === 413 && !brief) return sendToOtel(records, { ...sending, brief: true });
  return allDead(records, status, error.message);
}

/** The export that `sendToOtel` would send, as JSON and where the protocol says so as protobuf too; headers masked. */
export async function previewOtel(
  record: LogRecord,
  { target, context, brief }: OtelSending,
): Promise<DeliveryPreview> {
  const spans = [toOtelSpan(record, { callbackId: context.callbackId, brief })];
  const masked = Object.keys(target.headers).map((name) => [name, "***"] as const);
  const request = {
    method: "POST",
    url: target.url,
    headers: { ...Object.fromEntries(masked), ...headersOf(target.protocol) },
    body: toJsonExport(spans),
  };
  if (target.protocol === "http/json") return request;
  return { ...request, bodyBase64: Buffer.from(await toOtelProtobuf(spans)).toString("base64") };
}

/**
 * Sends an export without spans, which every OTLP receiver accepts once it accepts the headers. Whoever accepts it
 * without an answer of OTLP proves nothing.
 */
export async function checkOtel(vars: OtelTargetVars, context: DeliveryContext): Promise<CheckResult> {
  try {
    const target = toOtelTarget(vars);
    const answer = await postSpans([], target, context);
    if (answer.status < 200 || answer.status >= 300 || answer.isHtml) throw toOtelError(answer, target);
    if (!answer.isOtlp) {
      const message = `${target.host} accepted an export (${String(answer.status)}), but did not answer as OTLP says: it may drop traces`;
      return { state: "unverified", message, target: target.url };
    }
    return { state: "healthy", message: `${target.host} takes traces (${target.protocol})`, target: target.url };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return { state: error.status === 429 ? "unverified" : "unhealthy", message: error.message, target: null };
  }
}

function toNote(words: string, brief: boolean): { message?: string } {
  if (brief) return { message: "Sent without messages: the full record was too large" };
  return words === "" ? {} : { message: words };
}

function allDead(records: readonly LogRecord[], status: number, message: string): DeliveryResult[] {
  return records.map(() => ({ outcome: "dead", status, message }));
}
