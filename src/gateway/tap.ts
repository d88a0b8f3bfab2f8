import type { StreamCopy } from "#gateway/stream-copy.ts";
import type { Json, JsonObject } from "#logging/record.ts";

/** How a stream ended. `broken`: the upstream broke off or sent an error frame. */
export type TapEnd = {
  outcome: "complete" | "client_disconnected" | "broken";
  /** The answer as far as it came. */
  response: JsonObject | null;
  usage: Json | undefined;
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
};

/** Bytes of an upstream, read once. */
export type TapSource = AsyncIterator<Buffer> & { destroy(): void };

/**
 * Passes an answer on, bytes unchanged and as they come, and assembles a copy. What is last (`[DONE]`, the final event,
 * or the end of the body) leaves only after `onEnd` has resolved; after it nothing is passed on. `first`
 * are bytes that were read already.
 */
export function tap(first: Buffer, source: TapSource, options: TapOptions): ReadableStream<Uint8Array> {
  const { copy } = options;
  let isOver = false;
  let isCancelled = false;

  async function end(outcome: TapEnd["outcome"], reason: unknown): Promise<void> {
    if (isOver) return;
    isOver = true;
    const { response, usage, errorText } = copy.answer();
    // Clients hang up on an error frame, so it decides whatever comes after it.
    await options.onEnd({ outcome: errorText === null ? outcome : "broken", response, usage, reason, errorText });
  }

  async function finish(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const last = copy.lastBytes();
    const failure = await end("complete", null).then(
      () => null,
      (error: unknown) => ({ error }),
    );
    if (isCancelled) return;
    if (failure) return tell(controller, options.errorFrame(failure.error));
    if (last.length > 0) controller.enqueue(last);
    controller.close();
  }

  async function breakOff(controller: ReadableStreamDefaultController<Uint8Array>, reason: unknown): Promise<void> {
    const told = await end("broken", reason).then(
      () => reason,
      (error: unknown) => error,
    );
    source.destroy();
    if (isCancelled) return;
    tell(controller, options.errorFrame(told));
  }

  let next: Buffer | null = first;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          let bytes: Buffer | null;
          let out: Buffer[];
          try {
            bytes = next ?? (await readNext(source));
            next = null;
            if (isOver) return;
            out = bytes === null ? [] : copy.pass(bytes);
          } catch (error) {
            if (!isOver) await breakOff(controller, error);
            return;
          }
          if (bytes === null) return finish(controller);
          for (const part of join(out)) controller.enqueue(part);
          if (copy.isDone()) {
            letEnd(source);
            return finish(controller);
          }
          if (out.length > 0) return;
        }
      },
      async cancel() {
        isCancelled = true;
        source.destroy();
        // What the upstream sent was paid for, also where the client left before it was passed on.
        if (next !== null && !isOver) copy.pass(next);
        await end("client_disconnected", null).catch(() => undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Ends a body with the frame that says what went wrong; without one it breaks off. */
function tell(controller: ReadableStreamDefaultController<Uint8Array>, frame: string | null): void {
  if (frame === null) return controller.error(new Error("The answer broke off."));
  controller.enqueue(Buffer.from(frame, "utf8"));
  controller.close();
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
