import type { Db } from "#lib/db.ts";
import { UpstreamError } from "#lib/errors.ts";
import type { CallbackType } from "#logging/callback.ts";
import type { ContentClass } from "#logging/content-class.ts";
import type { DeliveryPreview } from "#logging/destinations/destination.ts";
import { findDestination } from "#logging/destinations/index.ts";
import type { PlannedTarget } from "#logging/log-plan.ts";
import { hideValues, openCallback, type OpenedCallback, type Viewer } from "#logging/open-callback.ts";
import type { RedactionDecider } from "#logging/policy.ts";
import type { LogRecord } from "#logging/record.ts";
import { redact } from "#logging/redact.ts";
import type { RedactionLevel } from "#logging/redaction-level.ts";

/** What one destination would get of a call. */
export type PreviewedDelivery = {
  callback_name: string;
  callback_id: string;
  fires_on: CallbackType;
  /** False where the callback does not fire on the call's outcome, or its rules leave the call out. */
  fires: boolean;
  redaction: RedactionLevel;
  redaction_decided_by: RedactionDecider | "request";
  /** Classes of content that this callback leaves out whatever the level says. */
  redact_classes: readonly ContentClass[];
  /** The record after redaction. */
  record: LogRecord | null;
  /**
   * The request that would be sent; credentials are masked. `body_base64`: the bytes of a body that is no text; `note`:
   * when another one would be sent.
   */
  request: (Omit<DeliveryPreview, "bodyBase64"> & { body_base64?: string }) | null;
  /** Why there is no record or no request. */
  reason: string | null;
};

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
  const opened = await openCallback(db, target, viewer);
  return { ...shown, record, ...(await render(opened, record)) };
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
