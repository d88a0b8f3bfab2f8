import { describe, expect, test } from "vitest";
import { makeFrameSplitter, type EventFrame } from "#gateway/event-frames.ts";

function split(pieces: readonly Buffer[]): { frames: EventFrame[]; rest: EventFrame } {
  const splitter = makeFrameSplitter();
  const frames = pieces.flatMap((piece) => splitter.push(piece));
  return { frames, rest: splitter.rest() };
}

function data(text: string): (string | null)[] {
  return split([Buffer.from(text)]).frames.map((frame) => frame.data);
}

const stream = Buffer.from(
  ': hello\n\ndata: {"a":"ü🙂"}\n\nevent: x\r\ndata: one\r\ndata:two\r\n\r\n\ndata: [DONE]\n\ndata: {"open":"ж',
);

describe("frames of an event stream", () => {
  test("frames and rest make up the bytes and the same data wherever the stream is cut in two", () => {
    const whole = split([stream]);
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const { frames, rest } = split([stream.subarray(0, cut), stream.subarray(cut)]);
      expect(Buffer.concat([...frames.map((frame) => frame.bytes), rest.bytes]).equals(stream), `cut at ${cut}`).toBe(
        true,
      );
      expect(frames.map((frame) => frame.data)).toEqual(whole.frames.map((frame) => frame.data));
      expect(rest.data).toEqual(whole.rest.data);
    }
  });

  test("byte by byte gives the same frames as in one piece", () => {
    const bytes = [...stream].map((byte) => Buffer.from([byte]));
    expect(split(bytes)).toEqual(split([stream]));
  });

  test("several data lines are one text, and comments and other fields are none", () => {
    expect(data(": c\n\nevent: a\n\ndata: one\ndata:two\n\n")).toEqual([null, null, "one\ntwo"]);
  });

  test.each([["data: x\n\n"], ["data: x\r\n\r\n"], ["data: x\r\n\n"], ["data: x\n\r\n"], ["data:x\n\n"]])(
    "the data of %j is x",
    (text) => {
      expect(data(text)).toEqual(["x"]);
    },
  );

  test("a frame that was not closed is the rest, with its data", () => {
    const { frames, rest } = split([Buffer.from("data: a\n\ndata: b\n")]);
    expect(frames).toHaveLength(1);
    expect(rest).toEqual({ bytes: Buffer.from("data: b\n"), data: "b" });
  });

  test("a line of many pieces is joined once", () => {
    const piece = Buffer.alloc(16 * 1024, "x");
    const { frames } = split([Buffer.from("data: "), ...Array.from({ length: 640 }, () => piece), Buffer.from("\n\n")]);
    expect(frames[0]?.data).toHaveLength(640 * piece.length);
  });
});
