import { describe, expect, test } from "vitest";
import { UpstreamError } from "#lib/errors.ts";
import { sendInParts, type ListSink, type Verdict } from "#logging/destinations/send-in-parts.ts";
import type { SinkAnswer } from "#logging/destinations/sink-request.ts";
import { makeRecord } from "#testing/make-record.ts";

/** A text that matches; as a bare pattern, `toMatchObject` would take any text. */
const like = (pattern: RegExp): unknown => expect.stringMatching(pattern);

const records = (count: number) =>
  Array.from({ length: count }, (_, at) => makeRecord({ recordId: `record-${String(at)}` }));

const verdicts: Readonly<Record<number, Verdict>> = {
  202: "delivered",
  400: "refused",
  409: "duplicate",
  413: "too_large",
};

/** A destination that answers what `status` says for the texts of a request. */
function makeSink(
  status: (texts: string[]) => number,
  changes: Partial<ListSink> = {},
): ListSink & { posted: string[][] } {
  const posted: string[][] = [];
  return {
    posted,
    recordsMax: 4,
    bytesMax: 1_000,
    where: "The sink",
    signal: new AbortController().signal,
    toText: (record, telling) => `${record.recordId} ${telling}`,
    post: async (entries) => {
      const texts = entries.map(({ text }) => text);
      posted.push(texts);
      return makeAnswer(status(texts));
    },
    judge: (answer) => verdicts[answer.status] ?? "failed",
    ...changes,
  };
}

function makeAnswer(status: number): SinkAnswer {
  return { status, text: "", words: "its words", isHtml: false, retryAfterMs: status === 429 ? 7_000 : null };
}

describe("limits", () => {
  test("no request holds more records than allowed, and the results keep the order", async () => {
    const sink = makeSink(() => 202);
    expect(await sendInParts(records(10), sink)).toEqual(
      records(10).map(() => ({ outcome: "delivered", status: 202 })),
    );
    expect(sink.posted.every((texts) => texts.length <= 4)).toBe(true);
    expect(sink.posted.flat()).toEqual(records(10).map(({ recordId }) => `${recordId} full`));
  });

  test("no request holds more bytes than allowed, in UTF-8, unless one record does", async () => {
    const sink = makeSink(() => 202, {
      toText: ({ recordId }) => (recordId === "record-1" ? "x".repeat(2_000) : "é".repeat(300)),
    });
    await sendInParts(records(4), sink);
    expect(sink.posted.map((texts) => texts.length)).toEqual([1, 1, 1, 1]);
  });
});

describe("one record at fault", () => {
  test("only it is dead, with the destination's words, and every other is delivered once", async () => {
    const sink = makeSink((texts) => (texts.some((text) => text.startsWith("record-2 ")) ? 400 : 202));
    const results = await sendInParts(records(4), sink);
    expect(results.map(({ outcome }) => outcome)).toEqual(["delivered", "delivered", "dead", "delivered"]);
    expect(results[2]).toMatchObject({ status: 400, message: "The sink said 400: its words" });
    const taken = sink.posted.filter((texts) => !texts.includes("record-2 full")).flat();
    expect(taken.toSorted()).toEqual(["record-0 full", "record-1 full", "record-3 full"]);
  });

  test("a too large one is sent shortened and says so, and is dead only where that is too large as well", async () => {
    const shortened = await sendInParts(
      records(1),
      makeSink(([text]) => (text?.endsWith("full") ? 413 : 202)),
    );
    expect(shortened).toEqual([{ outcome: "delivered", status: 202, message: like(/shortened/) }]);
    expect(
      await sendInParts(
        records(1),
        makeSink(() => 413),
      ),
    ).toMatchObject([{ outcome: "dead", status: 413 }]);
  });

  test("one that a client steered is sent again without its wishes before it is dead", async () => {
    const sink = makeSink(([text]) => (text?.endsWith("full") ? 400 : 202), { isSteered: () => true });
    expect(await sendInParts(records(1), sink)).toMatchObject([
      { outcome: "delivered", message: like(/without the ids/) },
    ]);
  });

  test("a duplicate is delivered, unless the client chose its id: then it is sent under ours", async () => {
    expect(
      await sendInParts(
        records(1),
        makeSink(() => 409, { isSteered: () => true }),
      ),
    ).toMatchObject([{ outcome: "delivered", status: 409 }]);
    const sink = makeSink(([text]) => (text?.endsWith("full") ? 409 : 202), { hasChosenId: () => true });
    expect(await sendInParts(records(1), sink)).toMatchObject([{ outcome: "delivered", status: 202 }]);
    expect(sink.posted).toEqual([["record-0 full"], ["record-0 plain"]]);
  });
});

describe("a destination at fault", () => {
  test.each([
    [401, "destination", null],
    [404, "destination", null],
    [302, "destination", null],
    [429, "transient", 7_000],
    [503, "transient", null],
  ] as const)("%i is a fault that is %s", async (status, fault, retryAfterMs) => {
    const error: unknown = await sendInParts(
      records(2),
      makeSink(() => status),
    ).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UpstreamError);
    expect(error).toMatchObject({ status, fault, retryAfterMs });
  });

  test("what was settled before it stays settled, and the rest waits as long as it was told to", async () => {
    let requests = 0;
    const sink = makeSink(() => ((requests += 1) === 1 ? 202 : 429));
    const results = await sendInParts(records(8), sink);
    expect(results.map(({ outcome }) => outcome)).toEqual([
      ...Array<string>(4).fill("delivered"),
      ...Array<string>(4).fill("retry"),
    ]);
    expect(results[7]).toMatchObject({ status: 429, retryAfterMs: 7_000 });
  });

  test("an abort after a part was taken takes nothing back", async () => {
    const controller = new AbortController();
    let requests = 0;
    const sink = makeSink(
      () => {
        requests += 1;
        if (requests === 1) return 202;
        controller.abort();
        throw new DOMException("aborted", "AbortError");
      },
      { signal: controller.signal },
    );
    const results = await sendInParts(records(8), sink);
    expect(results.map(({ outcome }) => outcome)).toEqual([
      ...Array<string>(4).fill("delivered"),
      ...Array<string>(4).fill("retry"),
    ]);
  });
});
