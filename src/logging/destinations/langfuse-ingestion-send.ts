import { UpstreamError } from "#lib/errors.ts";
import type { DeliveryResult } from "#logging/destinations/destination.ts";
import { toSafeWords } from "#logging/destinations/exchange.ts";
import { toIngestionEvents } from "#logging/destinations/langfuse-ingestion-event.ts";
import type { LangfuseIngestionEvent } from "#logging/destinations/langfuse-ingestion-event.ts";
import { readIngestionAnswer } from "#logging/destinations/langfuse-ingestion-answer.ts";
import type { ItemAnswer } from "#logging/destinations/langfuse-ingestion-answer.ts";
import { requestLangfuse, toLangfuseError } from "#logging/destinations/langfuse-request.ts";
import type { LangfuseAnswer } from "#logging/destinations/langfuse-request.ts";
import { toSpanOptions } from "#logging/destinations/langfuse-send.ts";
import type { LangfuseSending } from "#logging/destinations/langfuse-send.ts";
import { secretsOf } from "#logging/destinations/langfuse-target.ts";
import { sendHalves } from "#logging/destinations/send-halves.ts";
import type { LogRecord } from "#logging/record.ts";
import sluice from "../../../package.json" with { type: "json" };

/** What became of a record; `other_wire`: the server takes OpenTelemetry only. */
export type IngestionResult = DeliveryResult | { outcome: "other_wire"; status: number; message: string };

/** Where a Langfuse server takes the old batch, and the headers beside the credentials. */
export const ingestionPath = "/api/public/ingestion";
export const ingestionHeaders = {
  "content-type": "application/json",
  "x-langfuse-sdk-name": sluice.name,
  "x-langfuse-sdk-version": sluice.version,
};

/** What Langfuse documents for one batch. */
const batchBytesMax = 3_500_000;

/**
 * Sends the records as batches of Langfuse's ingestion endpoint and judges each by its own two events. Throws
 * `UpstreamError` where the destination is at fault or cannot take anything now.
 */
export async function sendToIngestion(
  records: readonly LogRecord[],
  sending: LangfuseSending,
): Promise<IngestionResult[]> {
  if (records.length === 0) return [];
  const events = toEvents(records, sending);
  const body = toBatch(events.flat(), sending);
  if (records.length > 1 && Buffer.byteLength(body) > batchBytesMax)
    return sendHalves(records, (half) => sendToIngestion(half, sending));
  const answer = await postBatch(body, sending);
  const { status } = answer;
  if ((status === 207 || status === 200 || status === 201) && !answer.isHtml) {
    const items = readIngestionAnswer(answer.text);
    if (items === null)
      throw new UpstreamError(status, `Langfuse at ${sending.target.host} answered no list of results`);
    return events.map((own) => judge(own, items, sending));
  }
  const isRefusal = !answer.isHtml && (status === 400 || status === 422);
  if (!isRefusal && status !== 413) throw toLangfuseError(answer, sending.target);
  if (records.length > 1) return sendHalves(records, (half) => sendToIngestion(half, sending));
  if (status === 413 && !sending.brief) return sendToIngestion(records, { ...sending, brief: true });
  return [{ outcome: "dead", status, message: toLangfuseError(answer, sending.target).message }];
}

/** Sends one event as it is given, right or not, and gives back the answer to the batch. */
export async function postEvent(
  event: object,
  sending: Pick<LangfuseSending, "target" | "context">,
): Promise<LangfuseAnswer> {
  return postBatch(toBatch([event], sending), sending);
}

/** The records as the JSON text of a batch. */
export function toIngestionBody(records: readonly LogRecord[], sending: LangfuseSending): string {
  return toBatch(toEvents(records, sending).flat(), sending);
}

function toEvents(records: readonly LogRecord[], sending: LangfuseSending): LangfuseIngestionEvent[][] {
  const options = toSpanOptions(sending);
  return records.map((record) => toIngestionEvents(record, options));
}

function toBatch(batch: readonly object[], { target }: Pick<LangfuseSending, "target">): string {
  const metadata = {
    batch_size: batch.length,
    sdk_integration: sluice.name,
    sdk_name: sluice.name,
    sdk_version: sluice.version,
    public_key: target.publicKey,
  };
  return JSON.stringify({ batch, metadata });
}

async function postBatch(
  body: string,
  { target, context }: Pick<LangfuseSending, "target" | "context">,
): Promise<LangfuseAnswer> {
  const request = { method: "POST", path: ingestionPath, headers: ingestionHeaders, body } as const;
  // A batch of 100 records is answered with 200 items, some with long reasons.
  return requestLangfuse(target, { ...request, answerBytesMax: 1024 * 1024 }, context);
}

/** The worst of what was said of the record's events: refused for good, before try again, before taken. */
function judge(
  events: readonly LangfuseIngestionEvent[],
  items: ReadonlyMap<string, ItemAnswer>,
  sending: LangfuseSending,
): IngestionResult {
  const answers = events.map(({ id }) => items.get(id) ?? unanswered);
  const bad = answers.filter(({ status }) => status < 200 || status >= 300);
  const lasting = bad.find((answer) => !isPassing(answer.status));
  const worst = lasting ?? bad[0];
  if (!worst) {
    const note = sending.brief ? { message: "Sent shortened: the full record was too large" } : {};
    return { outcome: "delivered", status: answers[0]?.status ?? 201, ...note };
  }
  const words = toSafeWords(worst.words, secretsOf(sending.target));
  const message = `Langfuse at ${sending.target.host} said ${String(worst.status)}: ${words === "" ? "(nothing)" : words}`;
  if (bad.some((answer) => answer.isEventTypeRefused)) return { outcome: "other_wire", status: worst.status, message };
  return { outcome: lasting ? "dead" : "retry", status: worst.status, message };
}

const unanswered: ItemAnswer = { status: 0, words: "the event is missing in the answer", isEventTypeRefused: false };

function isPassing(status: number): boolean {
  return status === 0 || status === 408 || status === 425 || status === 429 || status >= 500;
}
