import { makeChatAssembler } from "#gateway/chat-stream.ts";
import { makeFrameSplitter } from "#gateway/event-frames.ts";
import { isJsonObject, type Json, type JsonObject } from "#logging/record.ts";

/** What a stream said so far. `errorText` is the data of the upstream's own error frame. */
export type StreamAnswer = { response: JsonObject | null; usage: Json | undefined; errorText: string | null };

/** Reads along with a stream, and says which of its bytes may leave when. */
export type StreamCopy = {
  /** What of these bytes may leave now; nothing from `[DONE]` on. */
  pass(bytes: Buffer): Buffer[];
  /** True once `[DONE]` came. */
  isDone(): boolean;
  /** What may leave when the stream is over: `[DONE]`, or what stands after the last closed frame. */
  lastBytes(): Buffer;
  answer(): StreamAnswer;
};

/** Makes the copy of one stream. `hideUsage`: the chunk that holds nothing but the usage is kept back. */
export function makeStreamCopy(hideUsage: boolean): StreamCopy {
  const splitter = makeFrameSplitter();
  const assembler = makeChatAssembler();
  let plainAnswer: JsonObject | null = null;
  let held: Buffer | null = null;
  let errorText: string | null = null;

  function pass(bytes: Buffer): Buffer[] {
    const out: Buffer[] = [];
    for (const frame of splitter.push(bytes)) {
      if (frame.data?.trim() === "[DONE]") {
        held = frame.bytes;
        break;
      }
      if (read(frame.data)) out.push(frame.bytes);
    }
    return out;
  }

  /** The bytes after the last closed frame: a frame that was not closed, or an answer that is no event stream at all. */
  function lastBytes(): Buffer {
    if (held !== null) return held;
    const { bytes, data } = splitter.rest();
    if (bytes.length === 0 || data?.trim() === "[DONE]") return bytes;
    const isPlainAnswer = data === null && assembler.response() === null;
    if (!isPlainAnswer) return read(data) ? bytes : Buffer.alloc(0);
    const answer = parseChunk(bytes.toString("utf8"));
    if (answer) noteError(answer, bytes.toString("utf8"));
    plainAnswer = answer;
    return bytes;
  }

  function noteError(chunk: JsonObject, text: string): void {
    if (chunk.error !== undefined && chunk.error !== null) errorText = text;
  }

  /** Assembles a frame's data; false where the client must not get that frame. */
  function read(data: string | null): boolean {
    const chunk = data === null ? null : parseChunk(data);
    if (data === null || !chunk) return true;
    noteError(chunk, data);
    assembler.add(chunk);
    const isUsageOnly = Array.isArray(chunk.choices) && chunk.choices.length === 0 && isJsonObject(chunk.usage);
    return !(hideUsage && isUsageOnly);
  }

  return {
    pass,
    isDone: () => held !== null,
    lastBytes,
    answer: () => ({
      response: plainAnswer ?? assembler.response(),
      usage: plainAnswer ? plainAnswer.usage : assembler.usage(),
      errorText,
    }),
  };
}

function parseChunk(data: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(data);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
