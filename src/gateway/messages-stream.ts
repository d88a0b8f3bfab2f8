import { ownError, type StreamAssembler, type StreamWire } from "#gateway/stream-wire.ts";
import { anthropicErrorType, type AppError } from "#lib/errors.ts";
import { isJsonObject, type JsonObject } from "#logging/record.ts";
import { readJson } from "#lib/read-json.ts";

/** The stream of Anthropic's `/v1/messages`. Facts: https://docs.anthropic.com/en/docs/build-with-claude/streaming */
export const messagesWire: StreamWire = {
  makeAssembler: makeMessagesAssembler,
  isEnd: (chunk) => chunk.type === "message_stop",
  errorOf: ownError,
  isUsageOnly: () => false,
};

/** Anthropic's event for a stream that broke. */
export function toMessagesErrorFrame({ message, status }: AppError): string {
  return `event: error\ndata: ${JSON.stringify({ type: "error", error: { type: anthropicErrorType(status), message } })}\n\n`;
}

type Block = { start: JsonObject; text: string[]; json: string[]; thinking: string[]; signature: string };

function makeMessagesAssembler(): StreamAssembler {
  let message: JsonObject | null = null;
  let usage: JsonObject | undefined;
  const blocks = new Map<number, Block>();
  let isCounted = false;
  return {
    add(chunk) {
      if (chunk.type === "message_start" && isJsonObject(chunk.message)) {
        message = { ...chunk.message };
        if (isJsonObject(message.usage)) usage = { ...message.usage };
      } else if (chunk.type === "content_block_start" && isJsonObject(chunk.content_block)) {
        blocks.set(indexOf(chunk), {
          start: chunk.content_block,
          text: [],
          json: [],
          thinking: [],
          signature: "",
        });
      } else if (chunk.type === "content_block_delta" && isJsonObject(chunk.delta)) {
        const block = blocks.get(indexOf(chunk));
        if (block) addDelta(block, chunk.delta);
      } else if (chunk.type === "message_delta") {
        if (message && isJsonObject(chunk.delta)) Object.assign(message, chunk.delta);
        // Counts come cumulated, and only those that changed.
        if (isJsonObject(chunk.usage)) usage = { ...usage, ...withoutNulls(chunk.usage) };
        isCounted ||= isJsonObject(chunk.usage) && isJsonObject(chunk.delta) && isPresent(chunk.delta.stop_reason);
      }
    },
    response() {
      if (message === null) return null;
      const content = [...blocks].sort(([left], [right]) => left - right).map(([, block]) => toBlock(block));
      return { ...message, content, ...(usage === undefined ? {} : { usage }) };
    },
    usage: () => usage,
    // The stop reason comes before `message_stop`, so only that says that the message is whole.
    isComplete: () => false,
    isUsageFinal: () => isCounted,
  };
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function indexOf(chunk: JsonObject): number {
  return typeof chunk.index === "number" ? chunk.index : 0;
}

function addDelta(block: Block, delta: JsonObject): void {
  if (typeof delta.text === "string") block.text.push(delta.text);
  if (typeof delta.partial_json === "string") block.json.push(delta.partial_json);
  if (typeof delta.thinking === "string") block.thinking.push(delta.thinking);
  if (typeof delta.signature === "string") block.signature += delta.signature;
  if (isJsonObject(delta.citation)) {
    const known = Array.isArray(block.start.citations) ? block.start.citations : [];
    block.start = { ...block.start, citations: [...known, delta.citation] };
  }
}

function toBlock({ start, text, json, thinking, signature }: Block): JsonObject {
  const block: JsonObject = { ...start };
  if (text.length > 0) block.text = text.join("");
  if (thinking.length > 0) block.thinking = thinking.join("");
  if (signature !== "") block.signature = signature;
  if (json.length > 0) block.input = parseInput(json.join(""));
  return block;
}

/** What a model passes to a tool; half of it, of a stream that was cut, stays a text. */
function parseInput(text: string): JsonObject | string {
  try {
    const value: unknown = readJson(text);
    return isJsonObject(value) ? value : text;
  } catch {
    return text;
  }
}

function withoutNulls(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}
