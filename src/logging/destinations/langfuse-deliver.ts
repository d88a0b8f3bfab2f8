import { UpstreamError } from "#lib/errors.ts";
import type { DeliveryResult } from "#logging/destinations/destination.ts";
import { sendToIngestion } from "#logging/destinations/langfuse-ingestion-send.ts";
import type { IngestionResult } from "#logging/destinations/langfuse-ingestion-send.ts";
import { forgetOldWire, isOnOldWire, rememberOldWire } from "#logging/destinations/langfuse-ingestion-wire.ts";
import { sendToLangfuse } from "#logging/destinations/langfuse-send.ts";
import type { LangfuseSending } from "#logging/destinations/langfuse-send.ts";
import type { LogRecord } from "#logging/record.ts";

/**
 * Sends the records on the wire that the server takes: as `langfuse_wire` says, else OpenTelemetry first. A server
 * without that path gets the same records by the old batch at once, and is remembered; one that no longer takes the
 * batch gets them by OpenTelemetry. Throws `UpstreamError` where the destination is at fault or cannot take anything.
 */
export async function deliverToLangfuse(
  records: readonly LogRecord[],
  sending: LangfuseSending,
): Promise<DeliveryResult[]> {
  const { target } = sending;
  if (target.wire === "otlp") return sendToLangfuse(records, sending);
  if (target.wire === "ingestion") return (await sendToIngestion(records, sending)).map(insisted(sending));
  if (isOnOldWire(target, Date.now())) return sendOldWire(records, sending);
  try {
    return await sendToLangfuse(records, sending);
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.status !== 404) throw error;
    return tryOldWire(records, { sending, reason: error });
  }
}

/** The server has no OpenTelemetry path. Where it has no ingestion either, it is no Langfuse: `reason` stands. */
async function tryOldWire(
  records: readonly LogRecord[],
  { sending, reason }: { sending: LangfuseSending; reason: UpstreamError },
): Promise<DeliveryResult[]> {
  try {
    const results = await sendToIngestion(records, sending);
    if (results.some(({ outcome }) => outcome === "other_wire")) throw reason;
    rememberOldWire(sending.target, Date.now());
    return results.map(insisted(sending));
  } catch (error) {
    if (error instanceof UpstreamError && error.fault === "destination" && !isCredentialFault(error)) throw reason;
    throw error;
  }
}

/** What this server took before. It may have been upgraded since: then everything goes the other way again. */
async function sendOldWire(records: readonly LogRecord[], sending: LangfuseSending): Promise<DeliveryResult[]> {
  let results: IngestionResult[];
  try {
    results = await sendToIngestion(records, sending);
  } catch (error) {
    if (!(error instanceof UpstreamError) || ![404, 405, 410].includes(error.status)) throw error;
    forgetOldWire(sending.target);
    return sendToLangfuse(records, sending);
  }
  const isRefused = (index: number): boolean => results[index]?.outcome === "other_wire";
  const refused = records.filter((_record, index) => isRefused(index));
  if (refused.length === 0) return results.map(insisted(sending));
  forgetOldWire(sending.target);
  const sent = await sendToLangfuse(refused, sending);
  return results.map((result) => (result.outcome === "other_wire" ? (sent.shift() ?? toWaiting(result)) : result));
}

/** For a wire that may not be left: records that it does not take wait until somebody changes `langfuse_wire`. */
function insisted({ target }: LangfuseSending): (result: IngestionResult) => DeliveryResult {
  return (result) => {
    if (result.outcome !== "other_wire") return result;
    const message = `${result.message} (langfuse_wire is ingestion, but the server takes OpenTelemetry only)`;
    throw new UpstreamError(result.status, target.wire === "ingestion" ? message : result.message, {
      fault: "destination",
    });
  };
}

function toWaiting({ status, message }: IngestionResult): DeliveryResult {
  return { outcome: "retry", status, message: message ?? "" };
}

function isCredentialFault({ status }: UpstreamError): boolean {
  return status === 401 || status === 403;
}
