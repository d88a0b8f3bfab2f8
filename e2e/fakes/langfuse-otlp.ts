import { isObject } from "./fake-server.ts";
import { LangfuseRefusal } from "./langfuse-auth.ts";

/**
 * Reads an OTLP/JSON trace export, all or nothing. The loose rules are Langfuse's own (ids present and strings,
 * attributes a list); the strict ones are the OTLP/JSON encoding as any collector would want it.
 */

/** A JSON value as the fake hands it out. */
export type Plain = string | number | boolean | null | Plain[] | { [name: string]: Plain };

/** How to read an export. */
export type OtlpRules = {
  /** Refuse what is no conformant OTLP/JSON too. */
  strict: boolean;
  /** In strict mode, accept ids that are any text (Langfuse stores them as they are). */
  verbatimIds: boolean;
};

/** One span with decoded attributes. */
export type RawSpan = {
  traceId: string;
  spanId: string;
  parentSpanId: string | null;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  status: { code: number; message: string };
  attributes: Record<string, Plain>;
  resourceAttributes: Record<string, Plain>;
  scopeName: string;
  scopeVersion: string;
};

/** Reads an export's spans; throws the 400 of the server for the first thing that is wrong. */
export function readExport(body: unknown, rules: OtlpRules): RawSpan[] {
  if (!isObject(body)) throw new LangfuseRefusal(400, { error: "Failed to parse OTel JSON Trace" });
  if (body.resourceSpans === undefined || body.resourceSpans === null) return [];
  return list(body.resourceSpans, "resourceSpans").flatMap((resourceSpan, at) => {
    const place = `resourceSpans[${String(at)}]`;
    const resource = object(resourceSpan, place).resource ?? {};
    const resourceAttributes = readAttributes(object(resource, `${place}.resource`).attributes ?? [], place, rules);
    return list(object(resourceSpan, place).scopeSpans, `${place}.scopeSpans`).flatMap((scopeSpan, scopeAt) => {
      const scopePlace = `${place}.scopeSpans[${String(scopeAt)}]`;
      const scope = object(object(scopeSpan, scopePlace).scope ?? {}, `${scopePlace}.scope`);
      const { name = "", version = "" } = scope;
      if (typeof name !== "string" || typeof version !== "string") refuse(`${scopePlace}.scope has no text as name`);
      return list(object(scopeSpan, scopePlace).spans, `${scopePlace}.spans`).map((span, spanAt) => ({
        ...readSpan(object(span, scopePlace), `${scopePlace}.spans[${String(spanAt)}]`, rules),
        resourceAttributes,
        scopeName: String(name),
        scopeVersion: String(version),
      }));
    });
  });
}

type SpanPart = Omit<RawSpan, "resourceAttributes" | "scopeName" | "scopeVersion">;

function readSpan(span: Record<string, unknown>, place: string, rules: OtlpRules): SpanPart {
  const parent = span.parentSpanId ?? "";
  const { name = "", kind = 0, status = {}, attributes = [] } = span;
  const traceId = readId(span.traceId, `${place}.traceId`, rules.strict && !rules.verbatimIds ? 32 : null);
  const spanId = readId(span.spanId, `${place}.spanId`, rules.strict && !rules.verbatimIds ? 16 : null);
  const parentLength = rules.strict && !rules.verbatimIds ? 16 : null;
  const parentSpanId = parent === "" ? null : readId(parent, `${place}.parentSpanId`, parentLength);
  const { code = 0, message = "" } = object(status, `${place}.status`);
  if (rules.strict) {
    if (typeof name !== "string" || name === "") refuse(`${place}.name must be a text`);
    if (!isWithin(kind, 5)) refuse(`${place}.kind must be a number from 0 to 5`);
    if (!isWithin(code, 2)) refuse(`${place}.status.code must be 0, 1 or 2`);
    if (typeof message !== "string") refuse(`${place}.status.message must be a text`);
    checkTimes(span, place);
    for (const listed of ["events", "links"]) list(span[listed] ?? [], `${place}.${listed}`);
  }
  return {
    traceId,
    spanId,
    parentSpanId,
    name: typeof name === "string" ? name : "",
    kind: Number(kind),
    startTimeUnixNano: unixNano(span.startTimeUnixNano),
    endTimeUnixNano: unixNano(span.endTimeUnixNano),
    status: { code: Number(code), message: String(message) },
    attributes: readAttributes(attributes, place, rules),
  };
}

/** A time as decimal text; 0 where it is none, so that the loose mode can store any span. */
function unixNano(value: unknown): string {
  if (isDecimal(value)) return value;
  return typeof value === "number" && value >= 0 ? BigInt(Math.trunc(value)).toString() : "0";
}

function checkTimes(span: Record<string, unknown>, place: string): void {
  const { startTimeUnixNano: start, endTimeUnixNano: end } = span;
  if (!isDecimal(start) || !isDecimal(end)) {
    refuse(`${place}: startTimeUnixNano and endTimeUnixNano must be decimal strings`);
    return;
  }
  if (BigInt(start) === 0n) refuse(`${place}.startTimeUnixNano is 0`);
  if (BigInt(start) > BigInt(end)) refuse(`${place} ends before it starts`);
}

/** An id as text; of `hexLength` hex characters, not all zero, where that is given. */
function readId(id: unknown, place: string, hexLength: number | null): string {
  if (typeof id !== "string" || id === "") throw rejection(`${place} is missing or not a string`);
  if (hexLength === null) return id;
  if (id.length !== hexLength || !/^[0-9a-f]+$/i.test(id) || /^0+$/.test(id)) {
    refuse(`${place} must be ${String(hexLength)} hex characters that are not all zero`);
  }
  return id;
}

function readAttributes(attributes: unknown, place: string, rules: OtlpRules): Record<string, Plain> {
  const read: Record<string, Plain> = {};
  for (const entry of list(attributes, `${place}.attributes`)) {
    const { key, value } = object(entry, `${place}.attributes`);
    if (typeof key !== "string" || key === "") throw rejection(`${place}.attributes has an entry without key`);
    if (rules.strict && Object.hasOwn(read, key)) refuse(`${place}.attributes has "${key}" twice`);
    read[key] = readValue(value, `${place}.attributes["${key}"]`, rules);
  }
  return read;
}

function readValue(value: unknown, place: string, rules: OtlpRules): Plain {
  const kinds = isObject(value) ? Object.entries(value) : [];
  const [first] = kinds;
  if (!first || kinds.length !== 1) {
    if (rules.strict) refuse(`${place} must have exactly one kind of value`);
    return null;
  }
  const [kind, content] = first;
  if (kind === "arrayValue" && isObject(content)) {
    return list(content.values ?? [], place).map((item) => readValue(item, place, rules));
  }
  if (kind === "kvlistValue" && isObject(content)) return readAttributes(content.values ?? [], place, rules);
  if (rules.strict) checkScalar(kind, content, place);
  if (kind === "intValue") return Number(content);
  return typeof content === "string" || typeof content === "number" || typeof content === "boolean" ? content : null;
}

function checkScalar(kind: string, content: unknown, place: string): void {
  if (kind === "stringValue") {
    if (typeof content !== "string") refuse(`${place}: stringValue must be a string`);
  } else if (kind === "boolValue") {
    if (typeof content !== "boolean") refuse(`${place}: boolValue must be a boolean`);
  } else if (kind === "intValue") {
    if (!isDecimal(content, /^-?\d{1,19}$/)) refuse(`${place}: intValue must be a decimal string`);
  } else if (kind === "doubleValue") {
    const named = ["NaN", "Infinity", "-Infinity"].includes(String(content));
    if (typeof content !== "number" && !named) refuse(`${place}: doubleValue must be a number`);
  } else if (kind === "bytesValue") {
    if (!isDecimal(content, /^[A-Za-z0-9+/_-]*={0,2}$/)) refuse(`${place}: bytesValue must be base64`);
  } else {
    refuse(`${place}: "${kind}" is no kind of value`);
  }
}

function isDecimal(value: unknown, form = /^\d{1,20}$/): value is string {
  return typeof value === "string" && form.test(value);
}

function isWithin(value: unknown, max: number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max;
}

function list(value: unknown, place: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw rejection(`${place} is not a list`);
}

function object(value: unknown, place: string): Record<string, unknown> {
  if (isObject(value)) return value;
  throw rejection(`${place} is not an object`);
}

function refuse(problem: string): void {
  throw rejection(problem);
}

function rejection(problem: string): LangfuseRefusal {
  return new LangfuseRefusal(400, { error: `Invalid OTLP trace export: ${problem}` });
}
