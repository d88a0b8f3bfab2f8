import { makeFrameSplitter } from "#gateway/event-frames.ts";
import { parseChunk, type StreamWire } from "#gateway/stream-wire.ts";
import type { Json, JsonObject } from "#logging/record.ts";

/** What a stream said so far. `errorText` is the upstream's own error, as JSON with an `error` in it. */
export type StreamAnswer = {
  response: JsonObject | null;
  usage: Json | undefined;
  errorText: string | null;
};

/** Reads along with an answer, and says which of its bytes may leave when. */
export type StreamCopy = {
  /** What of these bytes may leave now; nothing from the last frame on. */
  pass(bytes: Buffer): Buffer[];
  /** True once the last frame came. */
  isDone(): boolean;
  /** True if the answer said itself that it is complete. Asked when the source has ended, after `lastBytes`. */
  hasEnded(): boolean;
  /** True if the usage counts the whole answer. */
  isUsageFinal(): boolean;
  /** What may leave when the answer is over: its last frame, or what stands after the last closed one. */
  lastBytes(): Buffer;
  answer(): StreamAnswer;
};

type Verdict = "pass" | "hide" | "last";

/** Makes the copy of one event stream. `hideUsage`: the event that holds nothing but the usage is kept back. */
export function makeStreamCopy(wire: StreamWire, hideUsage: boolean): StreamCopy {
  const splitter = makeFrameSplitter();
  const assembler = wire.makeAssembler();
  let plainAnswer: JsonObject | null = null;
  let held: Buffer | null = null;
  let errorText: string | null = null;
  let isLastSeen = false;

  function pass(bytes: Buffer): Buffer[] {
    const out: Buffer[] = [];
    for (const frame of splitter.push(bytes)) {
      const verdict = read(frame.data);
      if (verdict === "last") {
        held = frame.bytes;
        break;
      }
      if (verdict === "pass") out.push(frame.bytes);
    }
    return out;
  }

  /** The bytes after the last closed frame: a frame that was not closed, or an answer that is no event stream at all. */
  function lastBytes(): Buffer {
    if (held !== null) return held;
    const { bytes, data } = splitter.rest();
    if (bytes.length === 0) return bytes;
    const isPlainAnswer = data === null && assembler.response() === null;
    if (!isPlainAnswer) return read(data) === "hide" ? Buffer.alloc(0) : bytes;
    const answer = parseChunk(bytes.toString("utf8"));
    if (answer) noteError(answer);
    plainAnswer = answer;
    return bytes;
  }

  function noteError(chunk: JsonObject): void {
    const error = wire.errorOf(chunk);
    if (error !== null) errorText = JSON.stringify(error);
  }

  /** Assembles a frame's data, and says whether the client gets that frame. */
  function read(data: string | null): Verdict {
    if (data === null) return "pass";
    if (data.length < 16 && data.trim() === "[DONE]") {
      isLastSeen = true;
      return "last";
    }
    const chunk = parseChunk(data);
    if (!chunk) return "pass";
    noteError(chunk);
    assembler.add(chunk);
    if (wire.isEnd(chunk)) {
      isLastSeen = true;
      return "last";
    }
    return hideUsage && wire.isUsageOnly(chunk) ? "hide" : "pass";
  }

  return {
    pass,
    isDone: () => held !== null,
    isUsageFinal: () => plainAnswer !== null || assembler.isUsageFinal(),
    hasEnded: () => isLastSeen || plainAnswer !== null || assembler.isComplete(),
    lastBytes,
    answer: () => ({
      response: plainAnswer ?? assembler.response(),
      usage: plainAnswer ? plainAnswer.usage : assembler.usage(),
      errorText,
    }),
  };
}

/**
 * The copy of an answer that is no text (spoken audio): one piece is always kept back, so that the last one leaves after
 * the record is kept; the log gets the length and the kind of it.
 */
export function makeBytesCopy(contentType: string): StreamCopy {
  let held: Buffer = Buffer.alloc(0);
  let bytes = 0;
  return {
    pass(piece) {
      bytes += piece.length;
      const out = held.length === 0 ? [] : [held];
      held = piece;
      return out;
    },
    isDone: () => false,
    isUsageFinal: () => false,
    hasEnded: () => true,
    lastBytes: () => held,
    answer: () => ({
      response: toBytesAnswer(bytes, contentType),
      usage: undefined,
      errorText: null,
    }),
  };
}

/** What the log says of an answer that is no text. */
export function toBytesAnswer(bytes: number, contentType: string): JsonObject {
  return { object: "file", content_type: contentType, bytes };
}
