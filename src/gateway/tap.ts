import { noAnswer } from "#gateway/settle-usage.ts";
import type { StreamCopy } from "#gateway/stream-copy.ts";
import type { PiecewiseBody, PieceSink } from "#lib/piecewise-response.ts";
import { onCut } from "#logging/calls-in-flight.ts";
import type { Json, JsonObject } from "#logging/record.ts";

/** How a stream ended. `broken`: the upstream broke off or sent an error frame. */
export type TapEnd = {
  outcome: "complete" | "client_disconnected" | "broken";
  /** True if the answer said itself that it is complete: an upstream may also just stop. */
  isWhole: boolean;
  /** The answer as far as it came. */
  response: JsonObject | null;
  usage: Json | undefined;
  /** True if `usage` counts the whole answer. */
  isUsageFinal: boolean;
  /** What was thrown by the upstream; null where it said itself what went wrong. */
  reason: unknown;
  /** The data of the upstream's own error frame, which the client got; null where there was none. */
  errorText: string | null;
};

/** How to tap a stream. */
export type TapOptions = {
  /** Reads along, and keeps back what has to wait or is not the client's. */
  copy: StreamCopy;
  /** Called once, whatever the end. The stream's last frame waits for it; a throw turns that frame into an error. */
  onEnd(end: TapEnd): Promise<void>;
  /**
   * The frame that tells the client of an upstream that broke off, or of a log that could not be kept. Null: there is no
   * such frame, and the connection is what breaks.
   */
  errorFrame(reason: unknown): string | null;
  /** Aborted by the stop of the gateway, which ends the stream like an upstream that breaks off. */
  signal?: AbortSignal | undefined;
};

/** Bytes of an upstream, read once. */
export type TapSource = AsyncIterator<Buffer> & { destroy(): void };

/**
 * Passes an answer on, bytes unchanged and as they come, and assembles a copy. What is last (`[DONE]`, the final event,
 * or the end of the body) leaves only after `onEnd` has resolved; after it nothing is passed on. `first`
 * are bytes that were read already.
 */
export function tap(first: Buffer, source: TapSource, options: TapOptions): PiecewiseBody {
  const { copy } = options;
  let isOver = false;
  let hasLeft = false;
  let next: Buffer | null = first;

  async function end(outcome: TapEnd["outcome"], reason: unknown): Promise<void> {
    if (isOver) return;
    isOver = true;
    // What the upstream sent was paid for, also if it was not passed on.
    if (next !== null) readUnread(copy, next);
    next = null;
    await options.onEnd(readEnd(copy, outcome, reason));
  }

  async function finish(sink: PieceSink, last: Buffer): Promise<void> {
    const failure = await end("complete", null).then(
      () => null,
      (error: unknown) => ({ error }),
    );
    if (hasLeft) return;
    if (failure) return tell(sink, options.errorFrame(failure.error));
    if (last.length > 0) sink.write(last);
    sink.end();
  }

  async function breakOff(sink: PieceSink, reason: unknown): Promise<void> {
    const told = await end("broken", reason).then(
      () => reason,
      (error: unknown) => error,
    );
    source.destroy();
    if (hasLeft) return;
    tell(sink, options.errorFrame(told));
  }

  return {
    async pump(sink) {
      // Also while the upstream or the client keeps the stream waiting.
      onCut(options.signal, (cut) => {
        if (!isOver) void breakOff(sink, cut);
      });
      for (;;) {
        let bytes = next;
        let last: Buffer | null = null;
        let frames: Buffer[] = [];
        try {
          if (bytes === null) {
            const result = await source.next();
            if (isOver) return;
            if (result.done === true) last = copy.lastBytes();
            else bytes = result.value;
          }
          next = null;
          if (bytes !== null) frames = copy.pass(bytes);
          if (copy.isDone()) last = copy.lastBytes();
        } catch (error) {
          if (!isOver) await breakOff(sink, error);
          return;
        }
        const hasRoom = frames.length === 0 || sink.write(join(frames));
        if (copy.isDone()) letEnd(source);
        if (last !== null) return finish(sink, last);
        if (!hasRoom) await sink.drained();
        if (isOver) return;
      }
    },
    async leave() {
      hasLeft = true;
      source.destroy();
      await end("client_disconnected", null).catch(() => undefined);
    },
  };
}

/** What came of an answer before its client left. */
function readUnread(copy: StreamCopy, bytes: Buffer): void {
  try {
    copy.pass(bytes);
  } catch {
    // The end is noted all the same.
  }
}

/** What is known at the end; a copy that cannot say it is itself why the stream broke. */
function readEnd(copy: StreamCopy, outcome: TapEnd["outcome"], reason: unknown): TapEnd {
  try {
    const { errorText, ...answer } = copy.answer();
    // Clients hang up on an error frame, so it decides whatever comes after it.
    const told = errorText === null ? outcome : "broken";
    return { ...answer, outcome: told, isWhole: copy.hasEnded(), isUsageFinal: copy.isUsageFinal(), reason, errorText };
  } catch (error) {
    return { ...noAnswer, outcome: "broken", reason: error, errorText: null };
  }
}

/** Ends a body with the frame that says what went wrong; without one it breaks off. */
function tell(sink: PieceSink, frame: string | null): void {
  if (frame === null) {
    sink.breakOff(new Error("The answer broke off."));
    return;
  }
  sink.write(Buffer.from(frame, "utf8"));
  sink.end();
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

/** Frames that lay side by side in one piece of the upstream leave in one piece again. */
function join(frames: Buffer[]): Buffer {
  const [only] = frames;
  return only !== undefined && frames.length === 1 ? only : Buffer.concat(frames);
}
