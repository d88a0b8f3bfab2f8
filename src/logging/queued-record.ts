import { z } from "zod";
import { isJsonObject, type LogRecord } from "#logging/record.ts";
import type { RedactionLevel } from "#logging/redaction-level.ts";

/** A record as the queue keeps it. `liftedFrom`: the redaction that held for it and that its request lifted. */
export type QueuedRecord = { record: LogRecord; liftedFrom: RedactionLevel | null };

/** Only `encodeRecord` writes this text, and it is sealed: that it is an object is all that is checked. */
const Stored = z.custom<LogRecord & { liftedFrom?: RedactionLevel }>(isJsonObject);

/** The text that is queued for a record. */
export function encodeRecord({ record, liftedFrom }: QueuedRecord): string {
  return JSON.stringify(liftedFrom === null ? record : { ...record, liftedFrom });
}

/** What `encodeRecord` made; throws where the text is no JSON object. */
export function decodeRecord(body: string): QueuedRecord {
  const { liftedFrom, ...record } = Stored.parse(JSON.parse(body));
  return { record, liftedFrom: liftedFrom ?? null };
}
