import { crc32 } from "node:zlib";
import type { JsonObject } from "#logging/record.ts";

/** An event of AWS's binary stream: its type, and what it says. */
export type AwsEvent = { type: string; value: JsonObject; isException?: boolean };

/**
 * Events in AWS's binary framing: lengths and their checksum, headers, the payload, the checksum of it all.
 * https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html
 */
export function toAwsEvents(events: readonly AwsEvent[]): Uint8Array {
  return Buffer.concat(events.map(toFrame));
}

function toFrame({ type, value, isException = false }: AwsEvent): Buffer {
  const headers = Buffer.concat([
    toHeader(":message-type", isException ? "exception" : "event"),
    toHeader(isException ? ":exception-type" : ":event-type", type),
    toHeader(":content-type", "application/json"),
  ]);
  const payload = Buffer.from(JSON.stringify(value), "utf8");
  const prelude = Buffer.alloc(8);
  prelude.writeUInt32BE(16 + headers.length + payload.length, 0);
  prelude.writeUInt32BE(headers.length, 4);
  const start = Buffer.concat([prelude, toChecksum(prelude), headers, payload]);
  return Buffer.concat([start, toChecksum(start)]);
}

/** A header whose value is a text (type 7). */
function toHeader(name: string, value: string): Buffer {
  const length = Buffer.alloc(3);
  length.writeUInt8(7, 0);
  length.writeUInt16BE(Buffer.byteLength(value), 1);
  return Buffer.concat([Buffer.from([Buffer.byteLength(name)]), Buffer.from(name), length, Buffer.from(value)]);
}

function toChecksum(bytes: Buffer): Buffer {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(bytes), 0);
  return checksum;
}
