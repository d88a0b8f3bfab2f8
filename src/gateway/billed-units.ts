import type { OperationName } from "#gateway/operation.ts";
import { isJsonObject, type Json, type JsonObject } from "#logging/record.ts";

/** What a call is billed by beside its tokens. */
export type BilledUnits = {
  /** Pictures that were made. */
  images: number;
  /** Seconds of sound that were listened to. */
  audioSeconds: number;
  /** Characters that were spoken. */
  characters: number;
  /** Searches of a rerank. */
  queries: number;
  /** How long the call took; null where the call is billed by what it listened to. */
  callSeconds: number | null;
};

/** Nothing but tokens. */
export const noUnits: BilledUnits = { images: 0, audioSeconds: 0, characters: 0, queries: 0, callSeconds: 0 };

/** What is known of a call when it is over; `response` is null where nothing came of it. */
type BilledCall = { operation: OperationName; body: JsonObject; response: JsonObject | null; seconds: number };

/**
 * Counts what a call is billed by. Facts: pictures are the entries of `data`; `usage.seconds` and `duration` are
 * OpenAI's of a recording, which its formats of plain text do not tell; `meta.billed_units` is Cohere's of a rerank.
 */
export function readUnits({ operation, body, response, seconds }: BilledCall): BilledUnits {
  const units: BilledUnits = { ...noUnits, callSeconds: seconds };
  if (response === null) return units;
  switch (operation) {
    case "image":
    case "image_edit":
      return { ...units, images: countImages(response) };
    case "speech":
      return { ...units, characters: countCharacters(body.input) };
    case "transcription":
    case "translation":
      return { ...units, audioSeconds: readAudioSeconds(response), callSeconds: null };
    case "rerank":
      return { ...units, queries: readSearches(response) };
    case "chat":
    case "text":
    case "embedding":
    case "responses":
    case "messages":
    case "moderation":
      return units;
  }
}

/** The most pictures that a request may ask for at once: OpenAI's limit. */
const picturesMax = 10;

/** What a call may be billed by, as far as its request tells. Bounded, whatever number of pictures a client asks for. */
export function foreseeUnits(operation: OperationName, body: JsonObject): BilledUnits {
  if (operation === "image" || operation === "image_edit") {
    return { ...noUnits, images: Math.min(picturesMax, toCount(body.n) || 1) };
  }
  if (operation === "speech") return { ...noUnits, characters: countCharacters(body.input) };
  return operation === "rerank" ? { ...noUnits, queries: 1 } : noUnits;
}

/** A stream ends with one event that holds one picture. */
function countImages({ data, type }: JsonObject): number {
  if (Array.isArray(data)) return data.length;
  return typeof type === "string" && type.endsWith(".completed") ? 1 : 0;
}

function countCharacters(input: Json | undefined): number {
  return typeof input === "string" ? Array.from(input).length : 0;
}

function readAudioSeconds({ usage, duration }: JsonObject): number {
  return (isJsonObject(usage) && toCount(usage.seconds)) || toCount(duration);
}

function readSearches({ meta }: JsonObject): number {
  const billed = isJsonObject(meta) && isJsonObject(meta.billed_units) ? meta.billed_units : {};
  return toCount(billed.search_units) || 1;
}

/** A larger number is no count of anything that a call has: neither seconds nor pictures. */
const countMax = 1e9;

/** Forms have numbers as texts. */
function toCount(value: Json | undefined): number {
  const count = typeof value === "string" ? Number(value) : value;
  return typeof count === "number" && count > 0 && count <= countMax ? count : 0;
}
