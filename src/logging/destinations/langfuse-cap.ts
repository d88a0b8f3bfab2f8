import type { Json } from "#logging/record.ts";

const marker = "...(truncated)";

/** Cuts a text whose JSON form is wider than `bytesMax` and marks it with its original length in characters. */
export function capText(text: string, bytesMax: number): string {
  // A UTF-16 unit takes at most six bytes in JSON (a \u escape), so short texts need no measuring.
  if (text.length * 6 <= bytesMax || jsonBytes(text) <= bytesMax) return text;
  const suffix = `${marker} [${String(text.length)} characters]`;
  const room = Math.max(0, bytesMax - suffix.length);
  let low = 0;
  let high = Math.min(text.length, room);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (jsonBytes(text.slice(0, middle)) <= room) low = middle;
    else high = middle - 1;
  }
  return text.slice(0, endOfCharacter(text, low)) + suffix;
}

/** Caps every text inside a JSON value, so that what remains is still valid JSON of the same shape. */
export function capJson(value: Json, bytesMax: number): Json {
  if (typeof value === "string") return capText(value, bytesMax);
  if (Array.isArray(value)) return value.map((item) => capJson(item, bytesMax));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, capJson(item, bytesMax)]));
}

/** The JSON text of a value with every text inside it capped. */
export function toCappedJson(value: Json, bytesMax: number): string {
  const json = JSON.stringify(value);
  if (json.length * 3 <= bytesMax || Buffer.byteLength(json) <= bytesMax) return json;
  return JSON.stringify(capJson(value, bytesMax));
}

/** The first `charactersMax` characters of a text, never half a surrogate pair. */
export function cutText(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : text.slice(0, endOfCharacter(text, charactersMax));
}

function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

function endOfCharacter(text: string, end: number): number {
  const last = text.charCodeAt(end - 1);
  return last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}
