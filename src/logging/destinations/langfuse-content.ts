import { capJson, capText, toCappedJson } from "#logging/destinations/langfuse-cap.ts";
import { textAttribute } from "#logging/destinations/otlp-json.ts";
import type { OtlpAttribute } from "#logging/destinations/otlp-json.ts";
import type { Json } from "#logging/record.ts";

/** What shapes a span beside its record. */
export type LangfuseSpanOptions = {
  callbackId: string;
  environment: string | null;
  promptVersion: number | null;
  /** Metadata keys that become tags, and the address that the tag `proxy_base_url` names. */
  defaultTags?: readonly string[];
  proxyBaseUrl?: string | null;
  /** True where the span also carries the OpenTelemetry GenAI attributes (`langfuse_otel`). */
  genAi?: boolean;
  /** True where ids that the client chose are hashed to hex digits. */
  hexIds?: boolean;
  /** True after Langfuse refused the span as too large: every text is cut hard and the client's metadata left out. */
  brief: boolean;
};

/** LiteLLM's cap of one text. */
const textBytesMax = 32 * 1024;
const briefTextBytesMax = 512;
const briefFieldBytesMax = 64 * 1024;

/** A value as the text of an attribute: texts as they are, anything else as JSON, every text in it capped. */
export function toContent(value: Json, options: LangfuseSpanOptions): string {
  const bytesMax = options.brief ? briefTextBytesMax : textBytesMax;
  const text = typeof value === "string" ? capText(value, bytesMax) : toCappedJson(value, bytesMax);
  return options.brief ? capText(text, briefFieldBytesMax) : text;
}

/** The same value where the wire takes JSON: its shape stays, every text in it capped. */
export function toContentValue(value: Json, options: LangfuseSpanOptions): Json {
  if (!options.brief) return capJson(value, textBytesMax);
  const capped = capJson(value, briefTextBytesMax);
  return Buffer.byteLength(JSON.stringify(capped)) <= briefFieldBytesMax ? capped : toContent(value, options);
}

/** A text attribute, or none for null. */
export function optionalText(key: string, value: string | null): OtlpAttribute[] {
  return value === null ? [] : [textAttribute(key, value)];
}
