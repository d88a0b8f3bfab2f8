import type { DeliveryResult } from "#logging/destinations/destination.ts";
import { sendHalves } from "#logging/destinations/send-halves.ts";
import { describeAnswer, toSinkError, type SinkAnswer } from "#logging/destinations/sink-request.ts";
import type { LogRecord } from "#logging/record.ts";

/** How a record is told: in full, without what the client asked for beside its content, or cut hard as well. */
export type Telling = "full" | "plain" | "brief";

/**
 * What an answer means for the records of one request. `refused`: one of them is at fault; `duplicate`: one of them is
 * there already; `failed`: the destination as a whole cannot or will not.
 */
export type Verdict = "delivered" | "refused" | "duplicate" | "too_large" | "failed";

/** A destination that takes a list of entries per request, all or none. */
export type ListSink = {
  recordsMax: number;
  bytesMax: number;
  /** The destination as messages name it. */
  where: string;
  signal: AbortSignal;
  /** The JSON text of a record's entry. */
  toText(record: LogRecord, telling: Telling): string;
  post(entries: readonly Entry[]): Promise<SinkAnswer>;
  judge(answer: SinkAnswer, records: readonly LogRecord[]): Verdict;
  /** True where `plain` differs from `full`: a refusal may be due to what the client asked for. */
  isSteered?: (record: LogRecord) => boolean;
  /** True where a duplicate may be another call's, because the client chose the id. */
  hasChosenId?: (record: LogRecord) => boolean;
};

/** A record with the text that is sent for it. */
export type Entry = { record: LogRecord; telling: Telling; text: string };

/**
 * Sends the records in as few requests as the limits allow. A refused request is sent again in halves until only the
 * records at fault are left; these are told more plainly, then shorter, and dead only after that. Throws
 * `UpstreamError` where the destination is at fault before anything was settled.
 */
export async function sendInParts(records: readonly LogRecord[], sink: ListSink): Promise<DeliveryResult[]> {
  if (records.length === 0) return [];
  sink.signal.throwIfAborted();
  return sendEntries(
    records.map((record) => ({ record, telling: "full", text: sink.toText(record, "full") })),
    sink,
  );
}

async function sendEntries(entries: readonly Entry[], sink: ListSink): Promise<DeliveryResult[]> {
  const bytes = entries.reduce((sum, { text }) => sum + Buffer.byteLength(text) + 1, 0);
  if (entries.length > 1 && (entries.length > sink.recordsMax || bytes > sink.bytesMax)) {
    return sendHalves(entries, (half) => sendEntries(half, sink), sink.signal);
  }
  const answer = await sink.post(entries);
  const records = entries.map(({ record }) => record);
  const verdict = sink.judge(answer, records);
  if (verdict === "failed") throw toSinkError(answer, sink.where);
  if (verdict === "delivered") return entries.map((entry) => delivered(entry, answer.status));
  const [first] = entries;
  if (first === undefined || entries.length > 1)
    return sendHalves(entries, (half) => sendEntries(half, sink), sink.signal);
  const telling = tellAgain(first, verdict, sink);
  if (telling !== null) {
    return sendEntries([{ record: first.record, telling, text: sink.toText(first.record, telling) }], sink);
  }
  if (verdict === "duplicate")
    return [{ outcome: "delivered", status: answer.status, message: "It was there already" }];
  return [{ outcome: "dead", status: answer.status, message: describeAnswer(answer, sink.where) }];
}

/** What may help a single record that was not taken; null where nothing is left. */
function tellAgain({ record, telling }: Entry, verdict: Verdict, sink: ListSink): Telling | null {
  if (verdict === "too_large") return telling === "brief" ? null : "brief";
  if (telling !== "full") return null;
  const helps = verdict === "duplicate" ? sink.hasChosenId : sink.isSteered;
  return helps?.(record) === true ? "plain" : null;
}

const tellingMessages = {
  full: {},
  plain: { message: "Sent without the ids and names that the client asked for: the destination refused them" },
  brief: { message: "Sent shortened: the full record was too large" },
} as const;

function delivered({ telling }: Entry, status: number): DeliveryResult {
  return { outcome: "delivered", status, ...tellingMessages[telling] };
}
