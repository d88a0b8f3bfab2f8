import type { DeliveryPreview } from "#logging/destinations/destination.ts";
import { ingestionHeaders, ingestionPath, toIngestionBody } from "#logging/destinations/langfuse-ingestion-send.ts";
import { toLangfuseBody, tracesHeaders, tracesPath } from "#logging/destinations/langfuse-send.ts";
import type { LangfuseSending } from "#logging/destinations/langfuse-send.ts";
import type { LogRecord } from "#logging/record.ts";

const masked = { authorization: "Basic ***", "x-langfuse-public-key": "***" };

/** The request that a delivery would send on the wire that the variables name, credentials masked. */
export function previewLangfuse(record: LogRecord, sending: LangfuseSending): DeliveryPreview {
  const { url, wire, publicKey } = sending.target;
  if (wire === "ingestion") {
    // The batch names the public key, which is half of the credentials.
    const body = toIngestionBody([record], sending).replaceAll(JSON.stringify(publicKey), '"***"');
    return { method: "POST", url: `${url}${ingestionPath}`, headers: { ...ingestionHeaders, ...masked }, body };
  }
  return {
    method: "POST",
    url: `${url}${tracesPath}`,
    headers: { ...tracesHeaders, ...masked },
    body: toLangfuseBody([record], sending),
    ...(wire === "otlp"
      ? {}
      : { note: "A Langfuse older than 3.22 gets the ingestion batch (langfuse_wire: ingestion)." }),
  };
}
