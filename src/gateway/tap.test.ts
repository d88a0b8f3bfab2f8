import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { chatWire } from "#gateway/chat-stream.ts";
import { makeStreamCopy } from "#gateway/stream-copy.ts";
import { tap, type TapEnd, type TapSource } from "#gateway/tap.ts";
import { toWebStream } from "#lib/piecewise-response.ts";
import { stateCell } from "#lib/state.ts";
import { cutCalls, enterCall } from "#logging/calls-in-flight.ts";
import { isJsonObject, type JsonObject } from "#logging/record.ts";

type Upstream = TapSource & { reads: number; destroyed: boolean };

/** An upstream that sends these pieces, then ends or throws. */
function upstream(pieces: readonly Buffer[], failure: Error | null = null): Upstream {
  const left = [...pieces];
  const source: Upstream = {
    reads: 0,
    destroyed: false,
    async next() {
      source.reads += 1;
      await turn();
      const value = source.destroyed ? undefined : left.shift();
      if (value) return { done: false, value };
      if (failure && !source.destroyed) throw failure;
      return { done: true, value: undefined };
    },
    destroy() {
      source.destroyed = true;
    },
  };
  return source;
}

type Setup = { hideUsage?: boolean; signal?: AbortSignal; onEnd?: (end: TapEnd) => Promise<void> };

function start(pieces: readonly Buffer[], setup: Setup & { failure?: Error } = {}) {
  const source = upstream(pieces.slice(1), setup.failure ?? null);
  const ends: TapEnd[] = [];
  const body = tap(pieces[0] ?? Buffer.alloc(0), source, {
    copy: makeStreamCopy(chatWire, setup.hideUsage ?? false),
    signal: setup.signal,
    async onEnd(end) {
      ends.push(end);
      await setup.onEnd?.(end);
    },
    errorFrame: (reason) => `data: {"error":"${reason instanceof Error ? reason.message : String(reason)}"}\n\n`,
  });
  return { source, ends, body, stream: toWebStream(body) };
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

function frame(chunk: JsonObject, lineEnd = "\n"): string {
  return `data: ${JSON.stringify(chunk)}${lineEnd}${lineEnd}`;
}

function textChunk(content: string): JsonObject {
  return { id: "c1", choices: [{ index: 0, delta: { content }, finish_reason: null }] };
}

/** vitest's matchers are typed as any. */
function containing(text: string): unknown {
  return expect.stringContaining(text);
}

const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
const usageFrame = frame({ id: "c1", choices: [], usage });
const done = "data: [DONE]\n\n";
const body = `: ping\n\n${frame(textChunk("Grüße "))}${frame(textChunk("🙂 ж"), "\r\n")}event: x\ndata: {"choices":\ndata: []}\n\n`;

function contentOf(end: TapEnd | undefined): unknown {
  const choices = end?.response?.choices;
  const [choice] = Array.isArray(choices) ? choices : [];
  return isJsonObject(choice) && isJsonObject(choice.message) ? choice.message.content : undefined;
}

describe("bytes", () => {
  const whole = Buffer.from(body + usageFrame + done);

  test("go out as they came, wherever the stream is cut in two", async () => {
    for (let cut = 0; cut <= whole.length; cut += 1) {
      const { stream, ends } = start([whole.subarray(0, cut), whole.subarray(cut)]);
      expect(await readAll(stream), `cut at ${String(cut)}`).toBe(whole.toString("utf8"));
      expect(ends).toHaveLength(1);
      expect(contentOf(ends[0])).toBe("Grüße 🙂 ж");
      expect(ends[0]).toMatchObject({ outcome: "complete", usage });
    }
  });

  test("go out as they came for pieces of every size", async () => {
    for (let size = 1; size < 40; size += 1) {
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) =>
        whole.subarray(i * size, (i + 1) * size),
      );
      const { stream, ends } = start(pieces);
      expect(await readAll(stream)).toBe(whole.toString("utf8"));
      expect(ends).toHaveLength(1);
    }
  });

  test("of the usage chunk alone are withheld where it was requested for the log, at every cut", async () => {
    for (let cut = 0; cut <= whole.length; cut += 7) {
      const { stream, ends } = start([whole.subarray(0, cut), whole.subarray(cut)], { hideUsage: true });
      expect(await readAll(stream)).toBe(body + done);
      expect(ends[0]?.usage).toEqual(usage);
    }
  });

  test("of usage inside a chunk with choices are never withheld", async () => {
    const text = frame({ ...textChunk("x"), usage }) + frame({ choices: [], prompt_filter_results: [] }) + done;
    const { stream, ends } = start([Buffer.from(text)], { hideUsage: true });
    expect(await readAll(stream)).toBe(text);
    expect(ends[0]?.usage).toEqual(usage);
  });

  test("after [DONE] are not passed on, however they are cut", async () => {
    const late = `${body}${done}: late\n\n`;
    for (const cut of [late.length, body.length + 3, body.length + done.length]) {
      const bytes = Buffer.from(late);
      const { stream } = start([bytes.subarray(0, cut), bytes.subarray(cut)]);
      expect(await readAll(stream)).toBe(body + done);
    }
  });
});

describe("onEnd", () => {
  test("is called once for a stream without [DONE], and its last bytes wait for it", async () => {
    const text = `${body}data: {"choices":[{"index":0,"delta":{"content":"!"}}]}`;
    const { stream, ends } = start([Buffer.from(text)]);
    expect(await readAll(stream)).toBe(text);
    expect(ends).toHaveLength(1);
    expect(contentOf(ends[0])).toBe("Grüße 🙂 ж!");
  });

  test("gets the usage of a last frame that was not closed, and the client does not", async () => {
    const { stream, ends } = start([Buffer.from(body + usageFrame.trimEnd())], { hideUsage: true });
    expect(await readAll(stream)).toBe(body);
    expect(ends[0]?.usage).toEqual(usage);
  });

  test("gets the answer of an upstream that does not stream", async () => {
    const answer = { id: "c9", choices: [{ index: 0, message: { content: "plain" } }], usage };
    const text = JSON.stringify(answer, null, 2);
    const { stream, ends } = start([Buffer.from(text.slice(0, 20)), Buffer.from(text.slice(20))], { hideUsage: true });
    expect(await readAll(stream)).toBe(text);
    expect(ends[0]).toMatchObject({ outcome: "complete", response: answer, usage });
  });

  test("is over before [DONE] leaves", async () => {
    let release = (): void => undefined;
    const kept = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { stream } = start([Buffer.from(body + done)], { onEnd: () => kept });
    const reader = stream.getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe(body);
    let isOut = false;
    const last = reader.read().then((result) => {
      isOut = true;
      return result;
    });
    for (let turns = 0; turns < 20; turns += 1) await turn();
    expect(isOut).toBe(false);
    release();
    expect(Buffer.from((await last).value ?? []).toString()).toBe(done);
    expect((await reader.read()).done).toBe(true);
  });

  test("that throws turns [DONE] into an error frame", async () => {
    const onEnd = (): Promise<void> => Promise.reject(new Error("no disk"));
    const { stream, ends } = start([Buffer.from(body + done)], { onEnd });
    expect(await readAll(stream)).toBe(`${body}data: {"error":"no disk"}\n\n`);
    expect(ends).toHaveLength(1);
  });

  test("is called once where the upstream breaks off, and an error frame ends the stream without the torn frame", async () => {
    const { stream, ends } = start([Buffer.from(body), Buffer.from('data: {"choices":[{"del')], {
      failure: new Error("reset"),
    });
    expect(await readAll(stream)).toBe(`${body}data: {"error":"reset"}\n\n`);
    expect(ends).toHaveLength(1);
    expect(ends[0]).toMatchObject({ outcome: "broken", errorText: null, reason: { message: "reset" } });
    expect(contentOf(ends[0])).toBe("Grüße 🙂 ж");
  });

  test("is called once where breaking off and keeping the log both fail", async () => {
    const onEnd = (): Promise<void> => Promise.reject(new Error("no disk"));
    const { stream, ends } = start([Buffer.from(body)], { failure: new Error("reset"), onEnd });
    expect(await readAll(stream)).toBe(`${body}data: {"error":"no disk"}\n\n`);
    expect(ends).toHaveLength(1);
  });

  const errorFrame = 'data: {"error":{"message":"overloaded","code":529}}\n\n';

  test("says broken for an error frame of the upstream, which passes unchanged", async () => {
    for (const end of ["", done]) {
      const { stream, ends } = start([Buffer.from(body + errorFrame + end)]);
      expect(await readAll(stream)).toBe(body + errorFrame + end);
      expect(ends).toHaveLength(1);
      expect(ends[0]).toMatchObject({ outcome: "broken", errorText: containing("overloaded") });
    }
  });

  test("says broken where the client hangs up on the error frame", async () => {
    const { stream, ends } = start([Buffer.from(errorFrame), Buffer.from(done)]);
    const reader = stream.getReader();
    await reader.read();
    await reader.cancel();
    expect(ends).toHaveLength(1);
    expect(ends[0]?.outcome).toBe("broken");
  });

  test("is called once with the partial answer where the client leaves, and the upstream is closed", async () => {
    const { stream, ends, source } = start([
      Buffer.from(frame(textChunk("a"))),
      Buffer.from(frame(textChunk("b"))),
      Buffer.from(done),
    ]);
    const reader = stream.getReader();
    await reader.read();
    await reader.cancel();
    expect(source.destroyed).toBe(true);
    expect(ends).toHaveLength(1);
    expect(ends[0]?.outcome).toBe("client_disconnected");
    expect(contentOf(ends[0])).toBe("a");
  });

  test("is called once where the client leaves before it read anything", async () => {
    const { stream, ends } = start([Buffer.from(frame(textChunk("a")))]);
    await stream.cancel();
    expect(ends).toHaveLength(1);
    expect(contentOf(ends[0])).toBe("a");
  });

  test("nobody waits in vain who asks for two pieces at once", async () => {
    const { stream, ends } = start(
      [frame(textChunk("a")), frame(textChunk("b")), done].map((text) => Buffer.from(text)),
    );
    const reader = stream.getReader();
    const pieces = await Promise.all([reader.read(), reader.read(), reader.read(), reader.read()]);
    expect(pieces.map((piece) => piece.done)).toEqual([false, false, false, true]);
    expect(ends.map((end) => end.outcome)).toEqual(["complete"]);
  });

  test("is called once where the client leaves while the upstream is silent", async () => {
    let wake = (): void => undefined;
    const source: TapSource = {
      next: () =>
        new Promise((resolve) => {
          wake = () => {
            resolve({ done: true, value: undefined });
          };
        }),
      destroy: () => {
        wake();
      },
    };
    const ends: TapEnd[] = [];
    const onEnd = async (end: TapEnd): Promise<void> => void ends.push(end);
    const body = tap(Buffer.from(frame(textChunk("a"))), source, {
      copy: makeStreamCopy(chatWire, true),
      onEnd,
      errorFrame: String,
    });
    const reader = toWebStream(body).getReader();
    await reader.read();
    const waiting = reader.read();
    await turn();
    await reader.cancel();
    expect((await waiting).done).toBe(true);
    expect(ends.map((end) => end.outcome)).toEqual(["client_disconnected"]);
  });

  test("is called once where the client leaves while the log is being kept", async () => {
    let release = (): void => undefined;
    const kept = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { stream, ends } = start([Buffer.from(done)], { onEnd: () => kept });
    const reader = stream.getReader();
    const waiting = reader.read();
    await turn();
    const cancelled = reader.cancel();
    release();
    await cancelled;
    expect((await waiting).done).toBe(true);
    expect(ends).toHaveLength(1);
    expect(ends[0]?.outcome).toBe("complete");
  });

  test("is called once if the stream is cut while its client reads nothing", async () => {
    const call = enterCall(new AbortController().signal);
    const { source, ends, body } = start([Buffer.from(frame(textChunk("a"))), Buffer.from(frame(textChunk("b")))], {
      signal: call.signal,
    });
    const written: string[] = [];
    let hasEnded = false;
    void body.pump({
      write: (piece) => written.push(Buffer.from(piece).toString("utf8")) > 1,
      drained: () => new Promise(() => undefined),
      end: () => (hasEnded = true),
      breakOff: () => undefined,
    });
    await turn();
    cutCalls();
    await turn();
    await body.leave();
    expect(ends.map((end) => [end.outcome, contentOf(end)])).toEqual([["broken", "a"]]);
    expect(written).toEqual([frame(textChunk("a")), containing("is stopping")]);
    expect([hasEnded, source.destroyed]).toEqual([true, true]);
    stateCell("calls-in-flight").clear();
  });

  test("is called once for an empty body", async () => {
    const { stream, ends } = start([]);
    expect(await readAll(stream)).toBe("");
    expect(ends).toMatchObject([{ outcome: "complete", response: null }]);
  });
});

test("nothing is read from the upstream before the client asks", async () => {
  const pieces = ["a", "b", "c", "d"].map((text) => Buffer.from(frame(textChunk(text))));
  const { stream, source } = start(pieces);
  for (let turns = 0; turns < 10; turns += 1) await turn();
  expect(source.reads).toBe(0);
  const reader = stream.getReader();
  await reader.read();
  for (let turns = 0; turns < 10; turns += 1) await turn();
  expect(source.reads).toBe(0);
  await reader.read();
  for (let turns = 0; turns < 10; turns += 1) await turn();
  expect(source.reads).toBe(1);
  await reader.cancel();
});
