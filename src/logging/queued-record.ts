import type { LogRecord } from "#logging/record.ts";
import type { RedactionLevel } from "#logging/redaction-level.ts";

/** A record as the queue keeps it. `liftedFrom`: the redaction that held for it and that its request lifted. */
export type QueuedRecord = { record: LogRecord; liftedFrom: RedactionLevel | null };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The bytes that are queued for a record. Each call gives a buffer of its own, which may be transferred. */
export function encodeRecord({ record, liftedFrom }: QueuedRecord): Uint8Array {
  return encoder.encode(JSON.stringify(liftedFrom === null ? record : { ...record, liftedFrom }));
}

/** What `encodeRecord` made; throws where the bytes are no JSON. */
export function decodeRecord(body: Uint8Array): QueuedRecord {
  const { liftedFrom, ...record }: LogRecord & { liftedFrom?: RedactionLevel } = JSON.parse(decoder.decode(body));
  return { record, liftedFrom: liftedFrom ?? null };
}
