import { makeChatAssembler } from "#gateway/chat-stream.ts";
import { makeFrameSplitter, type EventFrame } from "#gateway/event-frames.ts";
import { isJsonObject, type Json, type JsonObject } from "#logging/record.ts";

/** How a stream ended. `broken`: the upstream broke off or sent an error frame. */
export type TapEnd = {
  outcome: "complete" | "client_disconnected" | "broken";
  /** The answer as far as it came. */
  response: JsonObject | null;
  usage: Json | undefined;
  /** What was thrown by the upstream, or the text of its error frame. */
  reason: unknown;
};

/** How to tap a stream. */
export type TapOptions = {
  /** The usage was requested for the log alone: the client does not get that chunk. */
  hideUsage: boolean;
  /** Called once, whatever the end. The stream's last frame waits for it; a throw turns that frame into an error. */
  onEnd(end: TapEnd): Promise<void>;
  /** The frame that tells the client of an upstream that broke off, or of a log that could not be kept. */
  errorFrame(reason: unknown): string;
};

/** Bytes of an upstream, read once. */
export type TapSource = AsyncIterator<Buffer> & { destroy(): void };

/**
 * Passes a server-sent event stream on, bytes unchanged and as they come, and assembles a copy. The final frame
 * (`[DONE]`, or the end of the body) leaves only after `onEnd` has resolved. `first` are bytes that were read already.
 */
export function tap(first: Buffer, source: TapSource, options: TapOptions): ReadableStream<Uint8Array> {
  const splitter = makeFrameSplitter();
  const assembler = makeChatAssembler();
  let isOver = false;
  let isDone = false;
  let held: Buffer[] = [];
  let errorText: string | null = null;

  /** What of these bytes may leave now. Sets `held` and `isDone` at the final frame. */
  function pass(bytes: Buffer): Buffer[] {
    const out: Buffer[] = [];
    for (const frame of splitter.push(bytes)) {
      if (isDone) held.push(frame.bytes);
      else if (frame.data === "[DONE]") {
        isDone = true;
        held.push(frame.bytes);
      } else if (read(frame)) out.push(frame.bytes);
    }
    return out;
  }

  /** Assembles a frame; false where the client must not get it. */
  function read(frame: EventFrame): boolean {
    if (frame.data === null) return true;
    const chunk = parseChunk(frame.data);
    if (!chunk) return true;
    if (chunk.error !== undefined && chunk.error !== null) errorText = frame.data;
    assembler.add(chunk);
    const isUsageOnly = Array.isArray(chunk.choices) && chunk.choices.length === 0 && isJsonObject(chunk.usage);
    return !(options.hideUsage && isUsageOnly);
  }

  async function end(outcome: TapEnd["outcome"], reason: unknown): Promise<void> {
    if (isOver) return;
    isOver = true;
    const isBroken = outcome === "complete" && errorText !== null;
    await options.onEnd({
      outcome: isBroken ? "broken" : outcome,
      response: assembler.response(),
      usage: assembler.usage(),
      reason: isBroken ? errorText : reason,
    });
  }

  async function finish(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      await end("complete", null);
      for (const bytes of [...held, splitter.rest()]) if (bytes.length > 0) controller.enqueue(bytes);
    } catch (error) {
      controller.enqueue(Buffer.from(options.errorFrame(error), "utf8"));
    }
    controller.close();
  }

  async function breakOff(controller: ReadableStreamDefaultController<Uint8Array>, reason: unknown): Promise<void> {
    const told = await end("broken", reason).then(
      () => reason,
      (error: unknown) => error,
    );
    controller.enqueue(Buffer.from(options.errorFrame(told), "utf8"));
    controller.close();
  }

  let next: Buffer | null = first;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          let bytes: Buffer | null;
          try {
            bytes = next ?? (await readNext(source));
            next = null;
          } catch (error) {
            if (!isOver) await breakOff(controller, error);
            return;
          }
          if (isOver) return;
          if (bytes === null) return finish(controller);
          const out = pass(bytes);
          for (const part of join(out)) controller.enqueue(part);
          if (isDone) {
            letEnd(source);
            return finish(controller);
          }
          if (out.length > 0) return;
        }
      },
      async cancel() {
        source.destroy();
        await end("client_disconnected", null).catch(() => undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Reads the end of a stream whose last frame came, so that its connection can serve again; a second at most. */
function letEnd(source: TapSource): void {
  const timer = setTimeout(() => {
    source.destroy();
  }, 1_000);
  void source
    .next()
    .catch(() => undefined)
    .finally(() => {
      clearTimeout(timer);
      source.destroy();
    });
}

async function readNext(source: TapSource): Promise<Buffer | null> {
  const result = await source.next();
  return result.done === true ? null : result.value;
}

/** Frames that lay side by side in one piece of the upstream leave in one piece again. */
function join(frames: Buffer[]): Buffer[] {
  if (frames.length < 2) return frames;
  return [Buffer.concat(frames)];
}

function parseChunk(data: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(data);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
