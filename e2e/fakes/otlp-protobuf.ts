/**
 * Reads an `ExportTraceServiceRequest` in protobuf into the shape of OTLP/JSON, by the field numbers of
 * opentelemetry-proto 1.x. Written apart from any encoder, so that it can judge one. Unknown fields are refused: what
 * we send has none.
 */

/** How a field's bytes are read; a list of fields is a message of its own. */
type Kind = "text" | "hex" | "base64" | "bool" | "enum" | "count" | "int64" | "fixed64" | "fixed32" | "double" | Fields;
type Fields = () => Readonly<Record<number, { name: string; kind: Kind; repeated?: true }>>;

const anyValue: Fields = () => ({
  1: { name: "stringValue", kind: "text" },
  2: { name: "boolValue", kind: "bool" },
  3: { name: "intValue", kind: "int64" },
  4: { name: "doubleValue", kind: "double" },
  5: { name: "arrayValue", kind: () => ({ 1: { name: "values", kind: anyValue, repeated: true } }) },
  6: { name: "kvlistValue", kind: () => ({ 1: { name: "values", kind: keyValue, repeated: true } }) },
  7: { name: "bytesValue", kind: "base64" },
});
const keyValue: Fields = () => ({ 1: { name: "key", kind: "text" }, 2: { name: "value", kind: anyValue } });
const attributes = { name: "attributes", kind: keyValue, repeated: true } as const;
const resource: Fields = () => ({ 1: attributes, 2: { name: "droppedAttributesCount", kind: "count" } });
const scope: Fields = () => ({
  1: { name: "name", kind: "text" },
  2: { name: "version", kind: "text" },
  3: attributes,
  4: { name: "droppedAttributesCount", kind: "count" },
});
const status: Fields = () => ({ 2: { name: "message", kind: "text" }, 3: { name: "code", kind: "enum" } });
const span: Fields = () => ({
  1: { name: "traceId", kind: "hex" },
  2: { name: "spanId", kind: "hex" },
  3: { name: "traceState", kind: "text" },
  4: { name: "parentSpanId", kind: "hex" },
  5: { name: "name", kind: "text" },
  6: { name: "kind", kind: "enum" },
  7: { name: "startTimeUnixNano", kind: "fixed64" },
  8: { name: "endTimeUnixNano", kind: "fixed64" },
  9: attributes,
  10: { name: "droppedAttributesCount", kind: "count" },
  12: { name: "droppedEventsCount", kind: "count" },
  14: { name: "droppedLinksCount", kind: "count" },
  15: { name: "status", kind: status },
  16: { name: "flags", kind: "fixed32" },
});
const scopeSpans: Fields = () => ({
  1: { name: "scope", kind: scope },
  2: { name: "spans", kind: span, repeated: true },
  3: { name: "schemaUrl", kind: "text" },
});
const resourceSpans: Fields = () => ({
  1: { name: "resource", kind: resource },
  2: { name: "scopeSpans", kind: scopeSpans, repeated: true },
  3: { name: "schemaUrl", kind: "text" },
});
const request: Fields = () => ({ 1: { name: "resourceSpans", kind: resourceSpans, repeated: true } });

/** The export as OTLP/JSON would have it; throws where the bytes are no such message. */
export function readProtobufExport(bytes: Buffer): Record<string, unknown> {
  return readMessage(bytes, request);
}

/** The bytes of an `ExportTraceServiceResponse`. */
export function writeProtobufAnswer(partial: { rejectedSpans: number; errorMessage: string } | null): Buffer {
  if (partial === null) return Buffer.alloc(0);
  const words = Buffer.from(partial.errorMessage);
  const inner = [8, ...varint(partial.rejectedSpans), 18, ...varint(words.length), ...words];
  return Buffer.from([10, ...varint(inner.length), ...inner]);
}

function readMessage(bytes: Buffer, fields: Fields): Record<string, unknown> {
  const known = fields();
  const message: Record<string, unknown> = {};
  let at = 0;
  while (at < bytes.length) {
    const tag = readVarint(bytes, at);
    const field = known[Number(tag.value >> 3n)];
    if (!field) throw new Error(`unknown field ${String(tag.value >> 3n)}`);
    const part = readPart(bytes, tag.next, Number(tag.value & 7n));
    at = part.next;
    const value = toValue(part, field.kind);
    if (!field.repeated) message[field.name] = value;
    else {
      const list: unknown = message[field.name];
      if (Array.isArray(list)) list.push(value);
      else message[field.name] = [value];
    }
  }
  return message;
}

type Part = { wire: number; number: bigint; bytes: Buffer; next: number };

function readPart(bytes: Buffer, at: number, wire: number): Part {
  if (wire === 0) {
    const { value, next } = readVarint(bytes, at);
    return { wire, number: value, bytes: bytes.subarray(at, next), next };
  }
  const head = wire === 2 ? readVarint(bytes, at) : null;
  const start = head?.next ?? at;
  const length = wire === 1 ? 8 : wire === 5 ? 4 : head ? Number(head.value) : -1;
  if (length < 0 || start + length > bytes.length) throw new Error(`wire type ${String(wire)} does not fit`);
  return { wire, number: 0n, bytes: bytes.subarray(start, start + length), next: start + length };
}

const wireOf: Readonly<Record<string, number>> = {
  ...{ bool: 0, enum: 0, count: 0, int64: 0, fixed64: 1, double: 1, fixed32: 5, text: 2, hex: 2, base64: 2 },
};

function toValue(part: Part, kind: Kind): unknown {
  const wire = typeof kind === "string" ? wireOf[kind] : 2;
  if (part.wire !== wire) throw new Error(`wire type ${String(part.wire)} where ${String(wire)} belongs`);
  if (typeof kind !== "string") return readMessage(part.bytes, kind);
  if (kind === "text") return new TextDecoder("utf-8", { fatal: true }).decode(part.bytes);
  if (kind === "hex" || kind === "base64") return part.bytes.toString(kind);
  if (kind === "bool") return part.number !== 0n;
  if (kind === "int64") return String(BigInt.asIntN(64, part.number));
  if (kind === "fixed64") return String(part.bytes.readBigUInt64LE());
  if (kind === "double") return part.bytes.readDoubleLE();
  return kind === "fixed32" ? part.bytes.readUInt32LE() : Number(part.number);
}

function readVarint(bytes: Buffer, at: number): { value: bigint; next: number } {
  let value = 0n;
  for (let i = 0; i < 10; i += 1) {
    const byte = bytes[at + i];
    if (byte === undefined) break;
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value, next: at + i + 1 };
  }
  throw new Error("a number has no end");
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}
