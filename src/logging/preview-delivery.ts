import { z } from "zod";
import type { Db } from "#lib/db.ts";
import { UpstreamError } from "#lib/errors.ts";
import { CallbackType } from "#logging/callback.ts";
import { ContentClass } from "#logging/content-class.ts";
import { findDestination } from "#logging/destinations/index.ts";
import type { PlannedTarget } from "#logging/log-plan.ts";
import { hideValues, openCallback, type OpenedCallback, type Viewer } from "#logging/open-callback.ts";
import { RedactionDecider } from "#logging/policy.ts";
import { isJsonObject, type LogRecord } from "#logging/record.ts";
import { redact } from "#logging/redact.ts";
import { RedactionLevel } from "#logging/redaction-level.ts";

/** What one destination would get of a call. */
export const PreviewedDelivery = z
  .object({
    callback_name: z.string(),
    callback_id: z.string(),
    fires_on: CallbackType,
    fires: z
      .boolean()
      .describe("False where the callback does not fire on the call's outcome, or its rules leave the call out."),
    redaction: RedactionLevel,
    redaction_decided_by: z.enum([...RedactionDecider.options, "request"]),
    redact_classes: z
      .array(ContentClass)
      .readonly()
      .describe("Classes of content that this callback leaves out whatever the level says."),
    record: z
      .custom<LogRecord>(isJsonObject)
      .nullable()
      .meta({ type: ["object", "null"], description: "The record after redaction." }),
    request: z
      .object({
        method: z.string(),
        url: z.string(),
        headers: z.record(z.string(), z.string()).readonly(),
        body: z.string(),
        body_base64: z.string().optional().describe("The bytes of a body that is no text."),
        note: z.string().optional().describe("When another request would be sent."),
      })
      .nullable()
      .describe("The request that would be sent; credentials are masked."),
    reason: z.string().nullable().describe("Why there is no record or no request."),
  })
  .meta({ id: "PreviewedDelivery" });
export type PreviewedDelivery = z.output<typeof PreviewedDelivery>;

/** A planned delivery of a record that is not redacted yet. */
export type DeliveryToPreview = {
  target: PlannedTarget;
  redactionDecidedBy: PreviewedDelivery["redaction_decided_by"];
  fires: boolean;
  record: LogRecord;
  keepMetadata: readonly string[];
};

/** Redacts a record for one callback and renders what would be sent there, without sending it. */
export async function previewDelivery(db: Db, planned: DeliveryToPreview, viewer: Viewer): Promise<PreviewedDelivery> {
  const { target, fires, keepMetadata } = planned;
  const shown = {
    callback_name: target.callbackName,
    callback_id: target.callbackId,
    fires_on: target.firesOn,
    fires,
    redaction: target.redaction,
    redaction_decided_by: planned.redactionDecidedBy,
    redact_classes: target.redactClasses ?? [],
  };
  if (!fires) {
    const reason = `It fires on ${target.firesOn} only, or its sampling or filters leave this call out.`;
    return { ...shown, record: null, request: null, reason };
  }
  const record = redact(planned.record, target.redaction, { keepMetadata, classes: shown.redact_classes });
  const opened = withCredentials(await openCallback(db, target, viewer), target);
  return { ...shown, record, ...(await render(opened, record)) };
}

/** What the request itself brought is no secret to who asks, but for the pair, which no answer shows. */
function withCredentials(opened: OpenedCallback, { credentials }: PlannedTarget): OpenedCallback {
  if (!credentials || opened.resolved.state !== "ready") return opened;
  const shownVars = new Set([...opened.shownVars, ...(credentials.langfuse_host ? ["langfuse_host"] : [])]);
  const resolved = { ...opened.resolved, vars: { ...opened.resolved.vars, ...credentials } };
  return { ...opened, resolved, given: { ...credentials }, shownVars };
}

async function render(
  opened: OpenedCallback,
  record: LogRecord,
): Promise<Pick<PreviewedDelivery, "request" | "reason">> {
  const { resolved, callbackId } = opened;
  if (resolved.state === "gone") return { request: null, reason: "The callback does not exist any more." };
  if (resolved.state === "misconfigured") return { request: null, reason: hideValues(resolved.message, opened) };
  const destination = findDestination(resolved.callbackName);
  if (!destination) return { request: null, reason: "There is no such destination." };
  const context = { callbackId, reach: resolved.reach, signal: new AbortController().signal };
  try {
    const { url, headers, bodyBase64, ...rest } = await destination.preview(record, resolved.vars, context);
    const masked = Object.entries(headers).map(([name, value]): [string, string] => [name, hideValues(value, opened)]);
    const request = {
      ...rest,
      url: hideValues(url, opened),
      headers: Object.fromEntries(masked),
      ...(bodyBase64 === undefined ? {} : { body_base64: bodyBase64 }),
    };
    return { request, reason: null };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return { request: null, reason: hideValues(error.message, opened) };
  }
}
