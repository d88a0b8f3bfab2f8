/**
 * How deep JSON from outside may nest. Every recursive walk of ours must take it with room to spare: of those measured on
 * a stack of the default size, `structuredClone` gives up at 1,600 levels and zod's JSON at 1,400, so a tenth is left for
 * them deep inside a call. Clients stay far below: a tool's JSON Schema spends two levels for one of its own, and
 * parsers of other servers stop at 100 (protobuf) or 128 (serde).
 */
export const jsonDepthMax = 128;

/** What the writer of JSON is told if `isTooDeep` is true. */
export const tooDeepMessage = `The JSON is nested too deeply: at most ${String(jsonDepthMax)} levels are read.`;

/** `JSON.parse` for text from outside. Throws `SyntaxError` if it is no JSON, or nested deeper than `jsonDepthMax`. */
export function readJson(text: string): unknown {
  if (isTooDeep(text)) throw new SyntaxError(tooDeepMessage);
  return JSON.parse(text);
}

/**
 * True if a text nests deeper than `jsonDepthMax`. It is asked before the text is parsed, so that millions of nested
 * lists are never made. Texts with few brackets, nearly all, cost a native search for each bracket.
 */
export function isTooDeep(text: string): boolean {
  return text.length > jsonDepthMax && hasManyOpenings(text) && nestsTooDeep(text);
}

/** False if there are not enough brackets for that depth, wherever they stand. */
function hasManyOpenings(text: string): boolean {
  let openings = 0;
  for (const bracket of ["[", "{"]) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      openings += 1;
      if (openings > jsonDepthMax) return true;
    }
  }
  return false;
}

const quote = 0;
const marks = ['"', "[", "{", "]", "}"] as const;

/** Goes from mark to mark by native searches, so that numbers and the insides of strings cost nearly nothing. */
function nestsTooDeep(text: string): boolean {
  const next = marks.map((mark) => find(text, mark, 0));
  let depth = 0;
  for (;;) {
    let first = 0;
    for (let mark = 1; mark < next.length; mark += 1) if ((next[mark] ?? 0) < (next[first] ?? 0)) first = mark;
    const at = next[first] ?? Infinity;
    if (at === Infinity) return false;
    if (first !== quote) depth += first <= 2 ? 1 : -1;
    if (depth > jsonDepthMax) return true;
    const from = first === quote ? endOfString(text, at) : at + 1;
    for (const [mark, place] of next.entries()) if (place < from) next[mark] = find(text, marks[mark] ?? "", from);
  }
}

function find(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at === -1 ? Infinity : at;
}

const backslash = 92;

/** The index after the string that begins at `start`; that of the text's end if it is never closed. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let first = end;
    while (text.charCodeAt(first - 1) === backslash) first -= 1;
    if ((end - first) % 2 === 0) return end + 1;
  }
  return text.length;
}
