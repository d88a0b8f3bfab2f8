/**
 * The body of an answer: its bytes as they came, once, for one reader. Read it to its end or destroy it, or its
 * connection stays taken.
 */
export type UpstreamBody = AsyncIterable<Buffer, undefined> & {
  /** Closes the connection where the answer is not complete yet; what was not read is gone. Safe to call twice. */
  destroy(): void;
};

/** The writing side of a body. */
export type BodyQueue = {
  body: UpstreamBody;
  push(chunk: Buffer): void;
  end(): void;
  /** The reader gets what came before the failure, then the failure. */
  fail(error: unknown): void;
};

/** How a body steers its connection. */
export type BodyFlow = { pause(): void; resume(): void; stop(): void };

type Waiter = PromiseWithResolvers<IteratorResult<Buffer, undefined>>;

type State = {
  flow: BodyFlow;
  chunks: Buffer[];
  waitingBytes: number;
  paused: boolean;
  ending: "open" | "ended" | "failed";
  failure: unknown;
  waiter: Waiter | null;
};

/** The connection is paused while this much waits to be read. */
const waitingBytesMax = 65_536;

const done = { done: true, value: undefined } as const;

/**
 * Makes a body and its writing side. A plain queue of buffers: a Node stream for each call of the hot path would cost
 * more than the call's own parsing.
 */
export function makeBodyQueue(flow: BodyFlow): BodyQueue {
  const state: State = {
    flow,
    chunks: [],
    waitingBytes: 0,
    paused: false,
    ending: "open",
    failure: null,
    waiter: null,
  };
  const destroy = () => {
    destroyBody(state);
  };
  const iterator = {
    next: () => nextChunk(state),
    return() {
      destroy();
      return Promise.resolve(done);
    },
  };
  return {
    body: { [Symbol.asyncIterator]: () => iterator, destroy },
    push: (chunk) => {
      pushChunk(state, chunk);
    },
    end: () => {
      close(state, "ended", null);
    },
    fail: (error) => {
      close(state, "failed", error);
    },
  };
}

function nextChunk(state: State): Promise<IteratorResult<Buffer, undefined>> {
  const chunk = state.chunks.shift();
  if (chunk) {
    state.waitingBytes -= chunk.length;
    if (state.paused && state.waitingBytes < waitingBytesMax) {
      state.paused = false;
      state.flow.resume();
    }
    return Promise.resolve({ done: false, value: chunk });
  }
  if (state.ending === "ended") return Promise.resolve(done);
  if (state.waiter) return Promise.reject(new Error("The body of an answer has one reader."));
  const asked: Waiter = Promise.withResolvers();
  if (state.ending === "failed") asked.reject(state.failure);
  else state.waiter = asked;
  return asked.promise;
}

function pushChunk(state: State, chunk: Buffer): void {
  if (state.ending !== "open") return;
  const { waiter } = state;
  if (waiter) {
    state.waiter = null;
    waiter.resolve({ done: false, value: chunk });
    return;
  }
  state.chunks.push(chunk);
  state.waitingBytes += chunk.length;
  if (state.waitingBytes < waitingBytesMax || state.paused) return;
  state.paused = true;
  state.flow.pause();
}

function close(state: State, ending: "ended" | "failed", failure: unknown): void {
  if (state.ending !== "open") return;
  state.ending = ending;
  state.failure = failure;
  const { waiter } = state;
  state.waiter = null;
  if (ending === "ended") waiter?.resolve(done);
  else waiter?.reject(failure);
}

function destroyBody(state: State): void {
  state.chunks.length = 0;
  if (state.ending === "failed") state.ending = "ended";
  if (state.ending !== "open") return;
  close(state, "ended", null);
  state.flow.stop();
}
