import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { DeliveryContext, DeliveryResult } from "#logging/destinations/destination.ts";
import { parseObject } from "#logging/destinations/exchange.ts";
import type { LangfuseSpanOptions } from "#logging/destinations/langfuse-content.ts";
import { requestLangfuse, toLangfuseError } from "#logging/destinations/langfuse-request.ts";
import type { LangfuseAnswer } from "#logging/destinations/langfuse-request.ts";
import { toLangfuseSpan } from "#logging/destinations/langfuse-span.ts";
import type { LangfuseTarget } from "#logging/destinations/langfuse-target.ts";
import { textAttribute, toTraceExport } from "#logging/destinations/otlp-json.ts";
import type { OtlpSource } from "#logging/destinations/otlp-json.ts";
import { sendHalves } from "#logging/destinations/send-halves.ts";
import type { LogRecord } from "#logging/record.ts";
import sluice from "../../../package.json" with { type: "json" };

/** Where to, on whose behalf, and whether the records must be cut hard because they were too large before. */
export type LangfuseSending = {
  target: LangfuseTarget;
  context: DeliveryContext;
  brief: boolean;
  /** True where the spans also carry the GenAI attributes. */
  genAi?: boolean;
  /** True where ids that the client chose must be hashed, because they were refused as they are. */
  hexIds?: boolean;
};

const compress = promisify(gzip);

/** Cutting makes most records smaller than they were in the queue; escaping can make them larger. */
const bodyCharactersMax = 4 * 1024 * 1024;

const source: OtlpSource = {
  resource: [textAttribute("service.name", sluice.name)],
  scope: { name: sluice.name, version: sluice.version },
};

/**
 * Sends the records as one OTLP export. Langfuse takes or refuses an export as a whole, so a refused one is sent
 * again in halves until only the records at fault are left, which are then dead with Langfuse's own words. Throws
 * `UpstreamError` where the destination is at fault or cannot take anything now.
 */
export async function sendToLangfuse(
  records: readonly LogRecord[],
  sending: LangfuseSending,
): Promise<DeliveryResult[]> {
  if (records.length === 0) return [];
  const body = toLangfuseBody(records, sending);
  if (records.length > 1 && body.length > bodyCharactersMax)
    return sendHalves(records, (half) => sendToLangfuse(half, sending));
  const answer = await postTraces(body, sending);
  const { status } = answer;
  if (status === 200 && !answer.isHtml && !hasRejectedSpans(answer)) {
    return records.map(() => ({
      outcome: "delivered",
      status,
      ...(sending.hexIds ? { message: "Sent with hashed ids: the client's own were refused" } : {}),
      ...(sending.brief ? { message: "Sent shortened: the full record was too large" } : {}),
    }));
  }
  const isRefusal = !answer.isHtml && (status === 400 || status === 422 || status === 200);
  if (!isRefusal && status !== 413) throw toLangfuseError(answer, sending.target);
  if (records.length > 1) return sendHalves(records, (half) => sendToLangfuse(half, sending));
  if (status === 413 && !sending.brief) return sendToLangfuse(records, { ...sending, brief: true });
  // A collector or proxy on the way may take hex ids only, where Langfuse itself takes any.
  if (status === 400 && !sending.hexIds && records.some(hasOwnIds)) {
    return sendToLangfuse(records, { ...sending, hexIds: true });
  }
  return [{ outcome: "dead", status, message: toLangfuseError(answer, sending.target).message }];
}

function hasOwnIds({ requesterMetadata: given }: LogRecord): boolean {
  return ["trace_id", "existing_trace_id", "generation_id", "parent_observation_id"].some((name) => name in given);
}

/** Where a Langfuse server takes OTLP traces, and the headers beside the credentials. */
export const tracesPath = "/api/public/otel/v1/traces";
export const tracesHeaders = {
  "content-type": "application/json",
  "content-encoding": "gzip",
  "x-langfuse-ingestion-version": "4",
  "x-langfuse-sdk-name": sluice.name,
  "x-langfuse-sdk-version": sluice.version,
};

/** Posts an OTLP/JSON export to the server's trace endpoint. */
export async function postTraces(
  body: string,
  sending: Pick<LangfuseSending, "target" | "context">,
): Promise<LangfuseAnswer> {
  const request = {
    method: "POST",
    path: tracesPath,
    headers: tracesHeaders,
    // Level 1 costs 55 us of CPU for a typical record (ratio 4.4), level 6 three times that (ratio 5.4).
    body: await compress(body, { level: 1, memLevel: 9, chunkSize: 128 * 1024 }),
  } as const;
  return requestLangfuse(sending.target, request, sending.context);
}

/** What shapes the generations of a sending, on either wire. */
export function toSpanOptions(sending: LangfuseSending): LangfuseSpanOptions {
  const { target, context, brief, genAi = false, hexIds = false } = sending;
  const { environment, promptVersion, defaultTags, proxyBaseUrl } = target;
  return {
    callbackId: context.callbackId,
    environment,
    promptVersion,
    defaultTags,
    proxyBaseUrl,
    brief,
    genAi,
    hexIds,
  };
}

/** The records as the JSON text of an export. A span is kept as text alone while the others are made. */
export function toLangfuseBody(records: readonly LogRecord[], sending: LangfuseSending): string {
  const options = toSpanOptions(sending);
  return toTraceExport(
    source,
    records.map((record) => JSON.stringify(toLangfuseSpan(record, options))),
  );
}

/** A collector between us and Langfuse may take an export in part and say so within a 200. */
function hasRejectedSpans(answer: LangfuseAnswer): boolean {
  if (!answer.text.includes("rejectedSpans")) return false;
  const partial = parseObject(answer.text)?.["partialSuccess"];
  return (
    typeof partial === "object" && partial !== null && "rejectedSpans" in partial && Number(partial.rejectedSpans) > 0
  );
}
