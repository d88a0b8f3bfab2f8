import type { OtlpAttribute, OtlpSource, OtlpSpan, OtlpValue } from "#logging/destinations/otlp-json.ts";

type Attribute = string | number | boolean | string[];
type HrTime = [number, number];

/**
 * The protobuf form of an export, by OpenTelemetry's own encoder, which is loaded with the first call. Ids must be hex.
 * Numbers that are whole become integers.
 */
export async function toProtobufExport(source: OtlpSource, spans: readonly OtlpSpan[]): Promise<Uint8Array> {
  const { ProtobufTraceSerializer } = await import("@opentelemetry/otlp-transformer");
  const resource = {
    attributes: toAttributes(source.resource),
    merge: () => resource,
    getRawAttributes: () => [],
  };
  const readable = spans.map((span) => ({
    name: span.name,
    // OpenTelemetry's API counts kinds from internal = 0, the wire from unspecified = 0.
    kind: clientKind,
    spanContext: () => toContext(span.traceId, span.spanId),
    ...(span.parentSpanId === undefined ? {} : { parentSpanContext: toContext(span.traceId, span.parentSpanId) }),
    startTime: toHrTime(span.startTimeUnixNano),
    endTime: toHrTime(span.endTimeUnixNano),
    status: span.status,
    attributes: toAttributes(span.attributes),
    links: [],
    events: [],
    duration: noTime,
    ended: true,
    resource,
    instrumentationScope: source.scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }));
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the enums are in a package that only types need
  return ProtobufTraceSerializer.serializeRequest(readable) ?? new Uint8Array();
}

/** What a collector rejected, of a protobuf answer; null where it cannot be read. */
export async function readProtobufAnswer(body: Uint8Array): Promise<{ rejected: number; words: string } | null> {
  const { ProtobufTraceSerializer } = await import("@opentelemetry/otlp-transformer");
  try {
    const partial = ProtobufTraceSerializer.deserializeResponse(body).partialSuccess;
    return { rejected: partial?.rejectedSpans ?? 0, words: partial?.errorMessage ?? "" };
  } catch {
    return null;
  }
}

const clientKind = 2;
const noTime: HrTime = [0, 0];

function toContext(traceId: string, spanId: string): { traceId: string; spanId: string; traceFlags: number } {
  return { traceId, spanId, traceFlags: 1 };
}

function toHrTime(unixNano: string): HrTime {
  return [Number(BigInt(unixNano) / 1_000_000_000n), Number(BigInt(unixNano) % 1_000_000_000n)];
}

function toAttributes(attributes: readonly OtlpAttribute[]): Record<string, Attribute> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, toPlain(value)]));
}

function toPlain(value: OtlpValue): Attribute {
  if ("stringValue" in value) return value.stringValue;
  if ("boolValue" in value) return value.boolValue;
  if ("intValue" in value) return Number(value.intValue);
  if ("doubleValue" in value) return value.doubleValue;
  return value.arrayValue.values.map((item) => String(toPlain(item)));
}
