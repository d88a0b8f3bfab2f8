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
  /** What stands after the last complete frame, as a frame of its own: not every upstream closes its last one. */
  rest(): EventFrame;
};

const lineFeed = 10;
const carriageReturn = 13;

/** Makes the splitter of one stream. Lines end with LF or CRLF. */
export function makeFrameSplitter(): FrameSplitter {
  let pending: Buffer[] = [];

  function take(bytes: Buffer): Buffer {
    const all = pending.length === 0 ? bytes : Buffer.concat([...pending, bytes]);
    pending = [];
    return all;
  }

  return {
    push(bytes) {
      // A line can be megabytes long (images, audio); its pieces are joined once, when it ends.
      if (!bytes.includes(lineFeed)) {
        if (bytes.length > 0) pending.push(bytes);
        return [];
      }
      const buffer = take(bytes);
      const frames: EventFrame[] = [];
      let start = 0;
      for (let end = endOfFrame(buffer, start); end !== -1; end = endOfFrame(buffer, start)) {
        const frame = buffer.subarray(start, end);
        frames.push({ bytes: frame, data: dataOf(frame) });
        start = end;
      }
      if (start < buffer.length) pending = [buffer.subarray(start)];
      return frames;
    },
    rest() {
      const bytes = take(Buffer.alloc(0));
      if (bytes.length > 0) pending = [bytes];
      return { bytes, data: dataOf(bytes) };
    },
  };
}

/** The index after the blank line that ends the frame at `start`, or -1. */
function endOfFrame(buffer: Buffer, start: number): number {
  let lineStart = start;
  for (;;) {
    const lineEnd = buffer.indexOf(lineFeed, lineStart);
    if (lineEnd === -1) return -1;
    const length = lineEnd - lineStart;
    if (length === 0 || (length === 1 && buffer[lineStart] === carriageReturn)) return lineEnd + 1;
    lineStart = lineEnd + 1;
  }
}

function dataOf(frame: Buffer): string | null {
  const text = frame.toString("utf8");
  // Nearly every frame is one line; the general case below is the standard's.
  if (text.startsWith("data: ") && text.indexOf("\n") === text.length - 2 && text.at(-3) !== "\r")
    return text.slice(6, -2);
  const lines = text.split(/\r?\n/).filter((line) => line.startsWith("data:"));
  if (lines.length === 0) return null;
  return lines.map((line) => line.slice(line.startsWith("data: ") ? 6 : 5)).join("\n");
}
