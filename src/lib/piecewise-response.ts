/** Where the pieces of an answer go. */
export type PieceSink = {
  /** False: no more before `drained`. */
  write(piece: Uint8Array): boolean;
  /** Resolves when there is room again; never, where the reader leaves before. */
  drained(): Promise<void>;
  /** The answer is whole. */
  end(): void;
  /** The answer is not whole, and no frame says so: the connection is what breaks. */
  breakOff(reason: Error): void;
};

/** The body of an answer that comes in pieces, for one reader. */
export type PiecewiseBody = {
  /** Hands over the pieces as they come; resolves at the end. Stays pending where the reader left while there was no room. */
  pump(sink: PieceSink): Promise<void>;
  /** The reader left, or its connection broke: nothing more is handed over. Safe to call twice, and after the end. */
  leave(): Promise<void>;
};

/** A body and the headers that go before it, all of them. */
export type PiecewiseResponse = { body: PiecewiseBody; headers: Readonly<Record<string, string>> };

/** A property and no WeakMap: what that holds, here all of a call, is not freed before the next full collection. */
const pieces: unique symbol = Symbol("pieces");

/**
 * An answer of status 200 whose body comes in pieces. Who serves it finds the body by `findPiecewise` and writes the
 * pieces to the socket: through a web stream, every piece costs several promises more. Its headers are final.
 */
export function toPiecewiseResponse(answer: PiecewiseResponse): Response {
  return Object.assign(new Response(toWebStream(answer.body), { headers: answer.headers }), { [pieces]: answer });
}

/** What `toPiecewiseResponse` made this response of; undefined for every other response. */
export function findPiecewise(response: Response & { [pieces]?: PiecewiseResponse }): PiecewiseResponse | undefined {
  return response[pieces];
}

/** The body as a web stream. Nothing is read ahead: a piece is asked for when the stream's reader asks. */
export function toWebStream(body: PiecewiseBody): ReadableStream<Uint8Array> {
  let hasStarted = false;
  let isAsked = false;
  let goOn: (() => void) | null = null;

  function start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const breakOff = (reason: unknown): void => {
      controller.error(reason);
    };
    body
      .pump({
        write(piece) {
          isAsked = false;
          controller.enqueue(piece);
          return isAsked;
        },
        drained: () => new Promise((resolve) => (goOn = resolve)),
        end: () => {
          controller.close();
        },
        breakOff,
      })
      .catch(breakOff);
  }

  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        // While a piece is being handed over, whoever waits for the one after it asks already.
        isAsked = true;
        goOn?.();
        goOn = null;
        if (!hasStarted) {
          hasStarted = true;
          start(controller);
        }
      },
      cancel: () => body.leave(),
    },
    { highWaterMark: 0 },
  );
}
