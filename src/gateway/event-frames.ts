/** One frame of a server-sent event stream: its bytes as they came, and its data. */
export type EventFrame = {
  /** The frame's bytes, its closing blank line included. */
  bytes: Buffer;
  /** The `data:` lines joined; null for comments and other fields. */
  data: string | null;
};

/** Cuts a byte stream into frames. Bytes are never changed: all frames and the rest make up what came in. */
export type FrameSplitter = {
  /** The frames that these bytes complete. */
  push(bytes: Buffer): EventFrame[];
  /** What stands after the last complete frame. */
  rest(): Buffer;
};

const lineFeed = 10;
const carriageReturn = 13;

/** Makes the splitter of one stream. */
export function makeFrameSplitter(): FrameSplitter {
  let pending: Buffer = Buffer.alloc(0);
  return {
    push(bytes) {
      const buffer = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
      const frames: EventFrame[] = [];
      let start = 0;
      for (;;) {
        const end = endOfFrame(buffer, start);
        if (end === -1) break;
        const frame = buffer.subarray(start, end);
        frames.push({ bytes: frame, data: dataOf(frame) });
        start = end;
      }
      pending = buffer.subarray(start);
      return frames;
    },
    rest: () => pending,
  };
}

/** The index after the blank line that ends the frame at `start` (line ends LF, CRLF or CR), or -1. */
function endOfFrame(buffer: Buffer, start: number): number {
  let lineStart = start;
  for (;;) {
    const feed = buffer.indexOf(lineFeed, lineStart);
    const lineEnd = feed === -1 ? -1 : feed;
    if (lineEnd === -1) return -1;
    const length = lineEnd - lineStart;
    if (length === 0 || (length === 1 && buffer[lineStart] === carriageReturn)) return lineEnd + 1;
    lineStart = lineEnd + 1;
  }
}

function dataOf(frame: Buffer): string | null {
  const text = frame.toString("utf8");
  // Nearly every frame is one line; the general case below is the standard's.
  if (text.startsWith("data: ") && text.indexOf("\n") === text.length - 2) return text.slice(6, -2);
  const lines = text.split(/\r?\n/).filter((line) => line.startsWith("data:"));
  if (lines.length === 0) return null;
  return lines.map((line) => line.slice(line.startsWith("data: ") ? 6 : 5)).join("\n");
}
