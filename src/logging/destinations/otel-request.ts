import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { UpstreamError } from "#lib/errors.ts";
import { fetchUpstream, readStart } from "#lib/fetch-upstream.ts";
import { readRetryAfterMs } from "#lib/retry-after.ts";
import type { DeliveryContext } from "#logging/destinations/destination.ts";
import { parseObject } from "#logging/destinations/exchange.ts";
import { readProtobufAnswer, toProtobufExport } from "#logging/destinations/otel-protobuf.ts";
import { toSafeOtelWords } from "#logging/destinations/otel-target.ts";
import type { OtelProtocol, OtelTarget } from "#logging/destinations/otel-target.ts";
import { textAttribute, toTraceExport } from "#logging/destinations/otlp-json.ts";
import type { OtlpSource, OtlpSpan } from "#logging/destinations/otlp-json.ts";
import sluice from "../../../package.json" with { type: "json" };

/** A collector's answer, read. */
export type OtelAnswer = {
  status: number;
  /** How many spans a 200 rejected all the same. */
  rejected: number;
  /** The collector's own words, safe to show. */
  words: string;
  isHtml: boolean;
  /** True where the answer has the form that OTLP prescribes; nobody else answers that by accident. */
  isOtlp: boolean;
  retryAfterMs: number | null;
};

const compress = promisify(gzip);
const answerBytesMax = 64 * 1024;

const source: OtlpSource = {
  resource: [textAttribute("service.name", sluice.name), textAttribute("service.version", sluice.version)],
  scope: { name: sluice.name, version: sluice.version },
};

/** Posts spans as one export; throws `UpstreamError` where there is no answer. No spans make a valid empty export. */
export async function postSpans(spans: OtlpSpan[], target: OtelTarget, context: DeliveryContext): Promise<OtelAnswer> {
  const body = target.protocol === "http/json" ? toJsonExport(spans) : await toOtelProtobuf(spans);
  const response = await fetchUpstream(target.url, {
    method: "POST",
    headers: { ...target.headers, ...headersOf(target.protocol) },
    body: await compress(body, { level: 1 }),
    reach: context.reach,
    signal: context.signal,
    headersTimeoutMs: 20_000,
    bodyTimeoutMs: 10_000,
    totalTimeoutMs: 40_000,
  });
  const bytes = await readStart(response, answerBytesMax);
  const type = response.headers["content-type"] ?? "";
  const text = bytes.toString("utf8");
  const answer = await readAnswer(bytes, response.status, type);
  return {
    status: response.status,
    rejected: answer.rejected,
    words: toSafeOtelWords(answer.words, target),
    isHtml: type.includes("html") || text.trimStart().startsWith("<"),
    isOtlp: answer.isOtlp,
    retryAfterMs: readRetryAfterMs(response.headers),
  };
}

/** The spans as the JSON text of an export. */
export function toJsonExport(spans: OtlpSpan[]): string {
  return toTraceExport(
    source,
    spans.map((span) => JSON.stringify(span)),
  );
}

/** The spans as the protobuf message of an export. */
export function toOtelProtobuf(spans: OtlpSpan[]): Promise<Uint8Array> {
  return toProtobufExport(source, spans);
}

/** The headers that no user can set: they say how the body is written. */
export function headersOf(protocol: OtelProtocol): Record<string, string> {
  const type = protocol === "http/json" ? "application/json" : "application/x-protobuf";
  return { "content-type": type, "content-encoding": "gzip" };
}

/** The error for an answer that says something about the collector as a whole, in its own words. */
export function toOtelError(answer: OtelAnswer, target: OtelTarget): UpstreamError {
  const { status, words, retryAfterMs } = answer;
  const options = { body: words, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
  const where = `The collector at ${target.host}`;
  const isPassing = passingStatuses.has(status) || status >= 500;
  const fault = isPassing ? "transient" : lastingStatuses.has(status) || status < 400 ? "destination" : "record";
  return new UpstreamError(status, `${where} ${toReason(answer)}`, { ...options, fault });
}

/**
 * What the OTLP specification says to try again below 500, and the two that mean the same in HTTP at large. Of the 500s
 * it forbids some to be tried again; span ids do not change between tries, so we rather send twice than lose a log.
 */
const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429]);
/** Wrong credentials, a wrong address or a wrong protocol: nothing gets through until somebody changes that. */
const lastingStatuses: ReadonlySet<number> = new Set([401, 402, 403, 404, 405, 407, 415]);

function toReason({ status, words, isHtml }: OtelAnswer): string {
  if (status >= 300 && status < 400) return `redirected (${String(status)}); redirects are not followed`;
  if (isHtml && status < 300) return `answered ${String(status)} with a web page: this is no OTLP endpoint`;
  const said = `said ${String(status)}: ${isHtml ? "a web page" : words === "" ? "(nothing)" : words}`;
  return status === 415 ? `${said} (otel_protocol may be the wrong one)` : said;
}

/** A text of JSON or a protobuf message; anything else is taken as the words. */
async function readAnswer(
  bytes: Buffer,
  status: number,
  contentType: string,
): Promise<{ rejected: number; words: string; isOtlp: boolean }> {
  const text = bytes.toString("utf8");
  if (contentType.includes("protobuf")) {
    if (status >= 400) return { rejected: 0, words: toPrintable(text), isOtlp: false };
    const read = await readProtobufAnswer(bytes);
    return { rejected: 0, words: "", ...read, isOtlp: read !== null };
  }
  const body = parseObject(text);
  // An answer of OTLP says nothing but this, and where all is well it may say nothing at all.
  const isOtlp = text.trim() === "" || (body !== null && Object.keys(body).every((name) => partialNames.has(name)));
  const partial = body?.["partialSuccess"] ?? body?.["partial_success"];
  if (status === 200 && typeof partial === "object" && partial !== null) {
    const count: unknown = "rejectedSpans" in partial ? partial.rejectedSpans : 0;
    const words: unknown = "errorMessage" in partial ? partial.errorMessage : "";
    return { rejected: Number(count) || 0, words: String(words), isOtlp };
  }
  const message = body?.["message"] ?? body?.["error"];
  return { rejected: 0, words: typeof message === "string" ? message : status === 200 ? "" : text, isOtlp };
}

const partialNames: ReadonlySet<string> = new Set(["partialSuccess", "partial_success"]);

/** The texts of a `google.rpc.Status`: its code and lengths are no printable characters. */
function toPrintable(text: string): string {
  return text.replace(/[^\p{L}\p{N}\p{P}\p{S} ]+/gu, " ");
}
