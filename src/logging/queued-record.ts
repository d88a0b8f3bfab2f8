import { z } from "zod";
import { isJsonObject, type LogRecord } from "#logging/record.ts";
import type { RedactionLevel } from "#logging/redaction-level.ts";

/** A record as the queue keeps it. `liftedFrom`: the redaction that held for it and that its request lifted. */
export type QueuedRecord = { record: LogRecord; liftedFrom: RedactionLevel | null };

/** Only `encodeRecord` writes these bytes, and they are sealed: that they are an object is all that is checked. */
const Stored = z.custom<LogRecord & { liftedFrom?: RedactionLevel }>(isJsonObject);

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The bytes that are queued for a record. Each call gives a buffer of its own, which may be transferred. */
export function encodeRecord({ record, liftedFrom }: QueuedRecord): Uint8Array {
  return encoder.encode(JSON.stringify(liftedFrom === null ? record : { ...record, liftedFrom }));
}

/** What `encodeRecord` made; throws where the bytes are no JSON object. */
export function decodeRecord(body: Uint8Array): QueuedRecord {
  const { liftedFrom, ...record } = Stored.parse(JSON.parse(decoder.decode(body)));
  return { record, liftedFrom: liftedFrom ?? null };
}
