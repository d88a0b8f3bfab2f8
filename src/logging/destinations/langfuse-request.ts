import { UpstreamError } from "#lib/errors.ts";
import type { DeliveryContext } from "#logging/destinations/destination.ts";
import {
  exchange,
  parseObject,
  toSafeWords,
  type ExchangeAnswer,
  type ExchangeRequest,
} from "#logging/destinations/exchange.ts";
import { secretsOf, toLangfuseHeaders } from "#logging/destinations/langfuse-target.ts";
import type { LangfuseTarget } from "#logging/destinations/langfuse-target.ts";

/** One request to a Langfuse server. */
export type LangfuseRequest = Pick<ExchangeRequest, "method" | "body" | "answerBytesMax"> & {
  path: string;
  headers?: Record<string, string>;
};

/** An answer, read; `words` is Langfuse's own message, safe to show. */
export type LangfuseAnswer = ExchangeAnswer & { words: string };

/** Calls the server that `target` names and reads what it answers; throws `UpstreamError` where there is no answer. */
export async function requestLangfuse(
  target: LangfuseTarget,
  { path, headers, ...request }: LangfuseRequest,
  context: DeliveryContext,
): Promise<LangfuseAnswer> {
  const place = { url: `${target.url}${path}`, headers: { ...toLangfuseHeaders(target), ...headers } };
  const answer = await exchange({ ...request, ...place }, context);
  const body = parseObject(answer.text);
  return {
    ...answer,
    words: toSafeWords(toWords(body, answer.text), secretsOf(target)),
    retryAfterMs: answer.retryAfterMs ?? toBodyWaitMs(body),
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
