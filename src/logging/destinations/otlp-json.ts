/** A value of an attribute as OTLP/JSON writes it; 64-bit integers are decimal strings. */
export type OtlpValue =
  | { stringValue: string }
  | { boolValue: boolean }
  | { intValue: string }
  | { doubleValue: number }
  | { arrayValue: { values: OtlpValue[] } };

/** One attribute of a span, scope or resource. */
export type OtlpAttribute = { key: string; value: OtlpValue };

/** One span of an export. Ids are hex text, times decimal nanoseconds. */
export type OtlpSpan = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** 1 internal, 2 server, 3 client. */
  kind: 1 | 2 | 3;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: OtlpAttribute[];
  /** 0 unset, 1 ok, 2 error. */
  status: { code: 0 | 1 | 2; message?: string };
};

/** Who sends an export: the resource's attributes and the instrumentation scope. */
export type OtlpSource = {
  resource: OtlpAttribute[];
  scope: { name: string; version: string };
};

/** Encodes a text attribute. */
export function textAttribute(key: string, value: string): OtlpAttribute {
  return { key, value: { stringValue: value } };
}

/** Encodes a list of texts. */
export function textsAttribute(key: string, values: readonly string[]): OtlpAttribute {
  return { key, value: { arrayValue: { values: values.map((value) => ({ stringValue: value })) } } };
}

/** Encodes a yes or no. */
export function booleanAttribute(key: string, value: boolean): OtlpAttribute {
  return { key, value: { boolValue: value } };
}

/** Encodes a number as a floating point value, whole or not. */
export function doubleAttribute(key: string, value: number): OtlpAttribute {
  return { key, value: { doubleValue: value } };
}

/** Encodes a number as a 64-bit integer; a fraction is rounded. */
export function integerAttribute(key: string, value: number): OtlpAttribute {
  return { key, value: { intValue: String(BigInt(Math.round(value))) } };
}

/** Nanoseconds since the epoch as decimal text, exact to the microsecond, of epoch milliseconds with a fraction. */
export function toUnixNano(epochMs: number): string {
  const microseconds = Math.max(0, Math.round(epochMs * 1000));
  return microseconds === 0 ? "0" : `${String(microseconds)}000`;
}

/**
 * The JSON text of an `ExportTraceServiceRequest` with all spans, given as their own JSON texts, under one resource and
 * scope. No spans give the empty export, which every OTLP receiver accepts.
 */
export function toTraceExport({ resource, scope }: OtlpSource, spans: readonly string[]): string {
  if (spans.length === 0) return JSON.stringify({ resourceSpans: [] });
  const attributes = JSON.stringify(resource);
  const scopeSpans = `[{"scope":${JSON.stringify(scope)},"spans":[${spans.join(",")}]}]`;
  return `{"resourceSpans":[{"resource":{"attributes":${attributes}},"scopeSpans":${scopeSpans}}]}`;
}
