import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit, type Document } from "yaml";
import { AppError } from "#lib/errors.ts";

/** The way to a value: keys of mappings and indexes of lists, from the top of the file. */
export type ConfigPath = readonly (string | number)[];

/** A configuration file as it was written, before anything of it was checked. */
export type ConfigDocument = {
  /** The top-level mapping; empty where the file holds nothing. */
  data: Readonly<Record<string, unknown>>;
  empty: boolean;
  /** The line of a path, counted from 1, or of its nearest parent that exists. */
  lineOf(path: ConfigPath): number;
  /** `lineOf` as text: `config.yaml:12`. */
  locate(path: ConfigPath): string;
};

/** What the parser's words mean to someone who writes a config file. Keys are the parser's error codes. */
const fixes: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "indent with spaces",
  BAD_INDENT: "give every key of one block the same number of spaces",
  BLOCK_AS_IMPLICIT_KEY: "put a value that contains a colon in quotes, or move the nested keys to lines of their own",
  DUPLICATE_KEY: "merge the blocks of this key into one",
  MULTIPLE_DOCS: "remove the line --- and what does not belong to this configuration",
  MISSING_CHAR: "add the missing quote, colon, comma or bracket on this line",
  BAD_SCALAR_START: "put the value in quotes",
  BAD_DQ_ESCAPE: "use single quotes, or double the backslash",
};

/** Parses YAML text; throws an `AppError` that lists every fault of the syntax with line, column and fix. */
export function readConfigDocument(text: string, fileName: string): ConfigDocument {
  const lines = new LineCounter();
  // Merge keys and texts such as "True" are read as LiteLLM's parser reads them.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: "error" });
  const faults = [...syntaxFaults(document), ...aliasFaults(document)].sort((one, other) => one.offset - other.offset);
  if (faults.length > 0) {
    const list = faults.map(({ offset, reason, fix }) => {
      const { line, col } = lines.linePos(offset);
      return `${fileName}:${String(line)}:${String(col)} is not valid YAML: ${reason}. Fix: ${fix}.`;
    });
    throw new AppError("bad_request", list.join("\n"));
  }

  const lineOf = (path: ConfigPath): number => Math.max(1, lines.linePos(offsetOf(document, path)).line);
  const locate = (path: ConfigPath): string => `${fileName}:${String(lineOf(path))}`;
  const data = plainData(document, fileName);
  if (data === null || data === undefined) return { data: {}, empty: true, lineOf, locate };
  if (isRecord(data)) return { data, empty: false, lineOf, locate };
  const found = Array.isArray(data) ? "a list" : "a single value";
  throw new AppError(
    "bad_request",
    `${locate([])} the whole file: expected a mapping of settings, found ${found}. ` +
      "Fix: begin with a section such as model_list: and put a space after each colon.",
  );
}

/** True for a mapping, as opposed to a list, a scalar or null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path of plain data, or undefined where there is none. */
export function valueAt(data: unknown, path: ConfigPath): unknown {
  let value = data;
  for (const step of path) {
    if (Array.isArray(value) && typeof step === "number") value = value[step];
    else if (isRecord(value) && Object.hasOwn(value, step)) value = value[step];
    else return undefined;
  }
  return value;
}

type Fault = { offset: number; reason: string; fix: string };

function syntaxFaults(document: Document.Parsed): Fault[] {
  return document.errors.map((error) => ({
    offset: error.message.startsWith("Missing closing") ? lastQuoteOffset(document) : error.pos[0],
    reason: parserReason(error.code, error.message),
    fix: fixes[error.code] ?? "correct the YAML at this place",
  }));
}

/** Where the last quoted text begins: one that never ends runs to the end of the file. */
function lastQuoteOffset(document: Document.Parsed): number {
  let offset = 0;
  visit(document, {
    Scalar(_key, scalar) {
      if (scalar.type?.startsWith("QUOTE")) offset = Math.max(offset, scalar.range?.[0] ?? 0);
    },
  });
  return offset;
}

function parserReason(code: string, message: string): string {
  if (message.startsWith("Maximum call stack")) return "It is nested too deeply";
  if (message.startsWith("Maximum call stack")) return "it is nested too deeply";
  if (code === "MULTIPLE_DOCS") return "The file holds several documents";
  // What follows the colon is the source text, which may be a secret.
  return code === "UNEXPECTED_TOKEN" ? message.replace(/:.*$/s, "") : message;
}

function aliasFaults(document: Document.Parsed): Fault[] {
  const faults: Fault[] = [];
  visit(document, {
    Alias(_key, alias, parents) {
      const target = alias.resolve(document);
      const offset = alias.range?.[0] ?? 0;
      if (target === undefined) {
        faults.push({ offset, reason: "A value that begins with * names no anchor", fix: "put the value in quotes" });
      } else if (parents.includes(target)) {
        faults.push({ offset, reason: "An alias contains itself", fix: "write the values out" });
      }
    },
  });
  return faults;
}

function plainData(document: Document.Parsed, fileName: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    const message = `${fileName}:1 has aliases that cannot be expanded. Fix: write the values out.`;
    throw new AppError("bad_request", message, { cause });
  }
}

function offsetOf(document: Document.Parsed, path: ConfigPath): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range[0] ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (!pair) return offset;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === "number") {
      const item = node.items[step];
      if (item === undefined) return offset;
      if (isNode(item)) offset = item.range?.[0] ?? offset;
      node = item;
    } else {
      return offset;
    }
  }
  return offset;
}
