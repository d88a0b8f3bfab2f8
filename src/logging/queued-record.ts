import { z } from "zod";
import { isJsonObject, type LogRecord } from "#logging/record.ts";
import { redact } from "#logging/redact.ts";
import { type Redaction, type RedactionLevel, stricterLevel } from "#logging/redaction-level.ts";
import type { RequestCredentials } from "#logging/request-credentials.ts";

/**
 * A record as the queue keeps it. `liftedFrom`: the redaction that held for it and that its request lifted;
 * `credentials`: those that its request brought, which are sealed with it; `optedOut`: names of callbacks, in lower case,
 * that its request or key did not want.
 */
export type QueuedRecord = {
  record: LogRecord;
  liftedFrom: RedactionLevel | null;
  credentials?: RequestCredentials | undefined;
  optedOut?: readonly string[] | undefined;
};

/** Only `encodeRecord` writes this text, and it is sealed: that it is an object is all that is checked. */
const Stored = z.custom<LogRecord & Partial<Omit<QueuedRecord, "record">>>(isJsonObject);

/** The text that is queued for a record. */
export function encodeRecord({ record, liftedFrom, credentials, optedOut }: QueuedRecord): string {
  if (liftedFrom === null && credentials === undefined && optedOut === undefined) return JSON.stringify(record);
  return JSON.stringify({
    ...record,
    ...(liftedFrom && { liftedFrom }),
    ...(credentials && { credentials }),
    ...(optedOut && { optedOut }),
  });
}

/** What `encodeRecord` made; throws where the text is no JSON object. */
export function decodeRecord(body: string): QueuedRecord {
  const { liftedFrom, credentials, optedOut, ...record } = Stored.parse(JSON.parse(body));
  return { record, liftedFrom: liftedFrom ?? null, credentials, optedOut };
}

/**
 * The record as it may leave under the redaction that holds now. What its request lifted stays lifted, unless redaction
 * became stricter than what it lifted.
 */
export function redactQueued(
  { record, liftedFrom }: QueuedRecord,
  { level: now, classes }: Redaction,
  keepMetadata: readonly string[],
): LogRecord {
  const isLifted = liftedFrom !== null && stricterLevel(liftedFrom, now) === liftedFrom;
  return redact(record, isLifted ? "off" : now, { keepMetadata, classes });
}
