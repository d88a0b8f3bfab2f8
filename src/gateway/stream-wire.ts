import type { AppError } from "#lib/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "#logging/record.ts";
import { readJson } from "#lib/read-json.ts";

/** Puts the events of a stream together into the answer that a plain call would have had. */
export type StreamAssembler = {
  /** One event as parsed JSON. */
  add(chunk: JsonObject): void;
  /** The answer so far; null where nothing came. */
  response(): JsonObject | null;
  usage(): Json | undefined;
  /** True if the answer is complete, whether or not the wire's last event came after it. */
  isComplete(): boolean;
  /** True if `usage` counts the whole answer. */
  isUsageFinal(): boolean;
};

/** How one API streams. `[DONE]` ends a stream of any of them. */
export type StreamWire = {
  makeAssembler(): StreamAssembler;
  /** True for the event that ends the answer. */
  isEnd(chunk: JsonObject): boolean;
  /** The error that an event tells of, under `error`; null for every other event. */
  errorOf(chunk: JsonObject): JsonObject | null;
  /** True for an event that holds nothing but the usage. */
  isUsageOnly(chunk: JsonObject): boolean;
};

/** The `error` of an event, as OpenAI's chat and Anthropic's API write it; older servers of vLLM send it bare. */
export function ownError(chunk: JsonObject): JsonObject | null {
  if (chunk.object === "error") return { error: chunk };
  return chunk.error === undefined || chunk.error === null ? null : chunk;
}

/** OpenAI's frame for a stream that broke: its error envelope, and no `[DONE]` after it. */
export function toOpenaiErrorFrame(error: AppError): string {
  const { message, type, param, status } = error;
  return `data: ${JSON.stringify({ error: { message, type, param, code: String(status) } })}\n\n`;
}

/** A JSON object of a text; null where it is none. */
export function parseChunk(data: string): JsonObject | null {
  try {
    const value: unknown = readJson(data);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
