import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { gunzipSync } from "node:zlib";
import { parseJson, readBody, sendJson, sendText, startFakeServer } from "./fake-server.ts";
import { LangfuseRefusal } from "./langfuse-auth.ts";
import { readExport } from "./langfuse-otlp.ts";
import type { RawSpan } from "./langfuse-otlp.ts";
import { readProtobufExport, writeProtobufAnswer } from "./otlp-protobuf.ts";

/**
 * A stand-in for an OpenTelemetry collector: `POST /v1/traces` in JSON and protobuf, plain and gzip. It takes only
 * what conforms in every field, answers in the form it was asked in, and remembers what arrived.
 */

/** A span with the form in which it arrived. */
export type CollectedSpan = RawSpan & { encoding: "json" | "protobuf" };

/** One request as it arrived. */
export type OtlpRequest = {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  bodyBytes: number;
  status: number;
  problem: string | null;
};

/** How the collector misbehaves. What is absent is normal. */
export type OtlpBehaviour = {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Rejects these spans inside a 200, with these words; the others are taken. */
  reject?: { isRejected: (span: RawSpan) => boolean; words: string };
  /** A body larger than this, uncompressed, is a 413. */
  bodyBytesMax?: number;
};

/** The running fake. */
export type FakeCollector = {
  port: number;
  url: string;
  spans: CollectedSpan[];
  requests: OtlpRequest[];
  setBehaviour(behaviour: OtlpBehaviour): void;
  reset(): void;
  close(): Promise<void>;
};

/** Starts the fake on 127.0.0.1; with `headers`, it refuses requests that do not carry them (401). */
export async function startFakeCollector(options: { headers?: Record<string, string> } = {}): Promise<FakeCollector> {
  const spans: CollectedSpan[] = [];
  const requests: OtlpRequest[] = [];
  let behaviour: OtlpBehaviour = {};
  const server = await startFakeServer(async (request, response) => {
    const body = await readBody(request);
    const { method = "", url = "", headers } = request;
    const entry: OtlpRequest = { method, path: url, headers, bodyBytes: body.length, status: 0, problem: null };
    requests.push(entry);
    const isProtobuf = headers["content-type"] === "application/x-protobuf";
    try {
      if (behaviour.status !== undefined) throw new Refusal(behaviour.status, behaviour.body ?? { message: "as told" });
      const missing = Object.entries(options.headers ?? {}).some(([name, value]) => headers[name] !== value);
      if (missing) throw new Refusal(401, { code: 16, message: "the credentials are missing or wrong" });
      const read = readRequest(entry, body, behaviour.bodyBytesMax ?? Infinity);
      const { reject } = behaviour;
      const taken = read.filter((span) => reject?.isRejected(span) !== true);
      for (const span of taken) spans.push({ ...span, encoding: isProtobuf ? "protobuf" : "json" });
      entry.status = 200;
      const rejected = read.length - taken.length;
      answer(response, isProtobuf, rejected === 0 ? null : { rejected, words: reject?.words ?? "" });
    } catch (error) {
      const refusal = error instanceof Refusal ? error : toRefusal(error);
      entry.status = refusal.status;
      entry.problem = JSON.stringify(refusal.body);
      const { status, body: told } = refusal;
      if (typeof told === "string")
        sendText(response, { status, body: told, headers: { "content-type": "text/html" } });
      else sendJson(response, { status, body: told, headers: behaviour.headers });
    }
  });
  return {
    ...server,
    spans,
    requests,
    setBehaviour: (next) => {
      behaviour = next;
    },
    reset: () => {
      spans.length = 0;
      requests.length = 0;
      behaviour = {};
    },
  };
}

class Refusal extends Error {
  readonly status: number;
  readonly body: unknown;
  constructor(status: number, body: unknown) {
    super("refused");
    this.status = status;
    this.body = body;
  }
}

function toRefusal(error: unknown): Refusal {
  if (error instanceof LangfuseRefusal) return new Refusal(400, { code: 3, message: error.message });
  return new Refusal(400, { code: 3, message: String(error) });
}

function readRequest({ method, path, headers }: OtlpRequest, body: Buffer, bytesMax: number): RawSpan[] {
  if (path !== "/v1/traces") throw new Refusal(404, { message: "404 page not found" });
  if (method !== "POST") throw new Refusal(405, { message: "405 method not allowed" });
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding !== "gzip") throw new Refusal(415, { message: "unknown content encoding" });
  const plain = encoding === "gzip" ? gunzipSync(body) : body;
  if (plain.length > bytesMax) throw new Refusal(413, { message: "request body too large" });
  const type = headers["content-type"];
  if (type !== "application/json" && type !== "application/x-protobuf") {
    throw new Refusal(415, { message: "unsupported media type" });
  }
  const message = type === "application/json" ? parseJson(plain.toString("utf8")) : readProtobufExport(plain);
  return readExport(message, { strict: true, verbatimIds: false });
}

function answer(
  response: ServerResponse,
  isProtobuf: boolean,
  partial: { rejected: number; words: string } | null,
): void {
  if (isProtobuf) {
    const body = writeProtobufAnswer(partial && { rejectedSpans: partial.rejected, errorMessage: partial.words });
    response.writeHead(200, { "content-type": "application/x-protobuf", "content-length": body.length });
    response.end(body);
    return;
  }
  // OTLP/JSON writes 64-bit integers as text.
  const told = partial && { rejectedSpans: String(partial.rejected), errorMessage: partial.words };
  sendJson(response, { status: 200, body: told ? { partialSuccess: told } : {} });
}
