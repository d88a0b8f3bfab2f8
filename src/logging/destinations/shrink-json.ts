import { capJson, capText } from "#logging/destinations/langfuse-cap.ts";
import type { Json, JsonObject } from "#logging/record.ts";

/**
 * The object, small enough for `bytesMax` bytes of JSON (at least some kB). Long texts are cut first; where there are
 * too many short ones, whole large fields become a text of their beginning. What is cut says so, with the length it
 * had. An object that fits is returned as it is.
 */
export function shrinkJson(value: JsonObject, bytesMax: number): JsonObject {
  if (jsonBytes(value) <= bytesMax) return value;
  for (const textBytesMax of [64 * 1024, 8 * 1024, 1024]) {
    const capped = mapFields(value, (field) => capJson(field, textBytesMax));
    if (jsonBytes(capped) <= bytesMax) return capped;
  }
  const fields = Object.values(value);
  const smallBytesMax = bytesMax / (4 * fields.length);
  const large = fields.filter((field) => jsonBytes(field) > smallBytesMax).length;
  const share = Math.floor((bytesMax * 0.6) / Math.max(1, large));
  return mapFields(value, (field) =>
    jsonBytes(field) <= smallBytesMax
      ? field
      : capText(typeof field === "string" ? field : JSON.stringify(field), share),
  );
}

/** The JSON text of an object, which is made small enough as `shrinkJson` does it. */
export function toShrunkJson(value: JsonObject, bytesMax: number): string {
  const text = JSON.stringify(value);
  return Buffer.byteLength(text) <= bytesMax ? text : JSON.stringify(shrinkJson(value, bytesMax));
}

function mapFields(value: JsonObject, change: (field: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, change(field)]));
}

function jsonBytes(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value));
}
