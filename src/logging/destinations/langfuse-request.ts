import { UpstreamError } from "#lib/errors.ts";
import { fetchUpstream, readStart } from "#lib/fetch-upstream.ts";
import { toRetryAfterMs } from "#lib/retry-after.ts";
import type { DeliveryContext } from "#logging/destinations/destination.ts";
import { toLangfuseHeaders, toSafeWords } from "#logging/destinations/langfuse-target.ts";
import type { LangfuseTarget } from "#logging/destinations/langfuse-target.ts";

/** One request to a Langfuse server. */
export type LangfuseRequest = {
  method: "GET" | "POST";
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** How much of the answer is read. Default 64 kB. */
  answerBytesMax?: number;
};

/** An answer, read. */
export type LangfuseAnswer = {
  status: number;
  /** The body as it came; for showing use `words`. */
  text: string;
  /** Langfuse's own message, safe to show. */
  words: string;
  /** True where the body is a web page, such as a proxy's sign-in, whatever the status says. */
  isHtml: boolean;
  retryAfterMs: number | null;
};

const answerBytesMaxDefault = 64 * 1024;

/** Calls the server that `target` names and reads what it answers; throws `UpstreamError` where there is no answer. */
export async function requestLangfuse(
  target: LangfuseTarget,
  request: LangfuseRequest,
  context: DeliveryContext,
): Promise<LangfuseAnswer> {
  const response = await fetchUpstream(`${target.url}${request.path}`, {
    method: request.method,
    headers: { ...toLangfuseHeaders(target), ...request.headers },
    body: request.body,
    reach: context.reach,
    signal: context.signal,
    headersTimeoutMs: 20_000,
    bodyTimeoutMs: 10_000,
    totalTimeoutMs: 40_000,
  });
  const text = (await readStart(response, request.answerBytesMax ?? answerBytesMaxDefault)).toString("utf8");
  const body = parseObject(text);
  return {
    status: response.status,
    text,
    words: toSafeWords(toWords(body, text), target),
    isHtml: /html/i.test(response.headers["content-type"] ?? "") || text.trimStart().startsWith("<"),
    retryAfterMs: toRetryAfterMs(response.headers["retry-after"]) ?? toBodyWaitMs(body),
  };
}

/** The error for an answer that says something about the destination as a whole, in its own words. */
export function toLangfuseError(answer: LangfuseAnswer, target: LangfuseTarget): UpstreamError {
  const { status, words } = answer;
  const options = { body: words, ...(answer.retryAfterMs === null ? {} : { retryAfterMs: answer.retryAfterMs }) };
  const lasting = { ...options, fault: "destination" } as const;
  const where = `Langfuse at ${target.host}`;
  if (status >= 300 && status < 400) {
    return new UpstreamError(
      status,
      `${where} redirected to another address (${String(status)}); redirects are not followed`,
      lasting,
    );
  }
  if (answer.isHtml && status < 500 && ![408, 413, 429].includes(status)) {
    return new UpstreamError(
      status,
      `${where} answered ${String(status)} with a web page: this is not the address of a Langfuse server`,
      lasting,
    );
  }
  if (status === 404) {
    return new UpstreamError(
      status,
      `${where} said 404: the server may be older than 3.22, or the host is wrong`,
      lasting,
    );
  }
  const message = `${where} said ${String(status)}: ${answer.isHtml ? "a web page" : words === "" ? "(nothing)" : words}`;
  const isPassing = status === 408 || status === 425 || status === 429 || status >= 500;
  return new UpstreamError(status, message, isPassing ? options : lasting);
}

function toWords(body: Record<string, unknown> | null, text: string): string {
  const message = body?.["message"] ?? body?.["error"];
  return typeof message === "string" ? message : text;
}

/** The seconds in Langfuse's own error body. */
function toBodyWaitMs(body: Record<string, unknown> | null): number | null {
  const details = body?.["details"];
  if (typeof details !== "object" || details === null || !("retryAfterSeconds" in details)) return null;
  const seconds = details.retryAfterSeconds;
  return typeof seconds === "number" && seconds >= 0 ? Math.round(seconds * 1000) : null;
}

/** The JSON object in a text; null where there is none. */
export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}
