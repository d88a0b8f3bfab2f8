import { z } from "zod";
import { isJsonObject, type LogRecord } from "#logging/record.ts";
import type { RedactionLevel } from "#logging/redaction-level.ts";
import type { RequestCredentials } from "#logging/request-credentials.ts";

/**
 * A record as the queue keeps it. `liftedFrom`: the redaction that held for it and that its request lifted;
 * `credentials`: those that its request brought, which are sealed with it.
 */
export type QueuedRecord = {
  record: LogRecord;
  liftedFrom: RedactionLevel | null;
  credentials?: RequestCredentials | undefined;
};

/** Only `encodeRecord` writes this text, and it is sealed: that it is an object is all that is checked. */
const Stored = z.custom<LogRecord & { liftedFrom?: RedactionLevel; credentials?: RequestCredentials }>(isJsonObject);

/** The text that is queued for a record. */
export function encodeRecord({ record, liftedFrom, credentials }: QueuedRecord): string {
  if (liftedFrom === null && credentials === undefined) return JSON.stringify(record);
  return JSON.stringify({ ...record, ...(liftedFrom && { liftedFrom }), ...(credentials && { credentials }) });
}

/** What `encodeRecord` made; throws where the text is no JSON object. */
export function decodeRecord(body: string): QueuedRecord {
  const { liftedFrom, credentials, ...record } = Stored.parse(JSON.parse(body));
  return { record, liftedFrom: liftedFrom ?? null, credentials };
}
