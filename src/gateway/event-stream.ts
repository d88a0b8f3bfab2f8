import { ownError, type StreamAssembler, type StreamWire } from "#gateway/stream-wire.ts";
import { isJsonObject, type Json, type JsonObject } from "#logging/record.ts";
import type { AppError } from "#lib/errors.ts";

/**
 * The streams of OpenAI's newer APIs: every event has a `type`, and the last one holds the whole answer. Facts:
 * https://platform.openai.com/docs/api-reference/responses-streaming
 */
export const responsesWire: StreamWire = {
  makeAssembler: makeResponsesAssembler,
  isEnd: (chunk) => typeof chunk.type === "string" && responseEnds.includes(chunk.type),
  errorOf(chunk) {
    if (chunk.type === "error") return isJsonObject(chunk.error) ? chunk : { error: chunk };
    // Servers that also speak the chat API send its error frame here.
    if (chunk.type === undefined) return ownError(chunk);
    if (chunk.type !== "response.failed" || !isJsonObject(chunk.response)) return null;
    return { error: chunk.response.error ?? { message: "The response failed." } };
  },
  isUsageOnly: () => false,
};

const responseEnds = ["response.completed", "response.failed", "response.incomplete"];

/** Streams of pictures and transcripts: what stands in the last event is the answer. */
export const lastEventWire: StreamWire = {
  makeAssembler: makeLastEventAssembler,
  isEnd: isWhole,
  errorOf: (chunk) => (chunk.type === "error" ? (ownError(chunk) ?? { error: chunk }) : ownError(chunk)),
  isUsageOnly: () => false,
};

/** The event of the Responses API for a stream that broke. */
export function toEventErrorFrame({ message, param, status }: AppError): string {
  const event = { type: "error", code: String(status), message, param, sequence_number: 0 };
  return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
}

/** `transcript.text.done`, `image_generation.completed`, `speech.audio.done`. */
function isWhole(chunk: JsonObject): boolean {
  return typeof chunk.type === "string" && /^(transcript|image|speech)[a-z_.]*\.(done|completed)$/.test(chunk.type);
}

/** The newest whole response, and over it the output as far as it came. */
function makeResponsesAssembler(): StreamAssembler {
  let response: JsonObject | null = null;
  let isOver = false;
  const items = new Map<number, JsonObject>();
  const texts = new Map<number, string[]>();
  return {
    add(chunk) {
      if (isJsonObject(chunk.response)) {
        response = chunk.response;
        isOver = typeof chunk.type === "string" && responseEnds.includes(chunk.type);
      }
      const index = typeof chunk.output_index === "number" ? chunk.output_index : 0;
      if (isJsonObject(chunk.item)) {
        items.set(index, chunk.item);
        if (chunk.type === "response.output_item.done") texts.delete(index);
      }
      if (typeof chunk.delta !== "string") return;
      const parts = texts.get(index);
      if (parts) parts.push(chunk.delta);
      else texts.set(index, [chunk.delta]);
    },
    response() {
      if (isOver || (response === null && texts.size === 0)) return response;
      // Some servers announce no item before its text.
      const places = [...new Set([...items.keys(), ...texts.keys()])].sort((left, right) => left - right);
      const output = places.map((index) => toPartialItem(items.get(index) ?? { type: "message" }, texts.get(index)));
      return { ...response, output };
    },
    usage: () => response?.usage,
    isComplete: () => isOver,
    isUsageFinal: () => isOver,
  };
}

/** An item that is not complete, with the text or the arguments that came of it. */
function toPartialItem(item: JsonObject, parts: readonly string[] | undefined): JsonObject {
  if (!parts) return item;
  const text = parts.join("");
  return item.type === "message"
    ? { ...item, content: [{ type: "output_text", text, annotations: [] }] }
    : { ...item, partial: text };
}

function makeLastEventAssembler(): StreamAssembler {
  let last: JsonObject | null = null;
  const deltas: string[] = [];
  let usage: Json | undefined;
  return {
    add(chunk) {
      if (typeof chunk.delta === "string") deltas.push(chunk.delta);
      if (isJsonObject(chunk.usage)) usage = chunk.usage;
      if (isWhole(chunk) || last === null) last = chunk;
    },
    response: () => (last === null || isWhole(last) || deltas.length === 0 ? last : { text: deltas.join("") }),
    usage: () => usage,
    isComplete: () => last !== null && isWhole(last),
    isUsageFinal: () => usage !== undefined,
  };
}
