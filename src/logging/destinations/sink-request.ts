import { UpstreamError } from "#lib/errors.ts";
import type { DeliveryContext } from "#logging/destinations/destination.ts";
import { exchange, toSafeWords, type ExchangeAnswer, type ExchangeRequest } from "#logging/destinations/exchange.ts";

/** One request to a destination, and the texts that no message may show. */
export type SinkRequest = ExchangeRequest & { secrets: readonly string[] };

/** An answer, read; `words` is its beginning in at most 500 characters, safe to show. */
export type SinkAnswer = ExchangeAnswer & { words: string };

/** Shorter texts are no secrets, and taking them out would spoil every message. */
const secretCharactersMin = 4;

/** Sends a request and reads what is answered; throws `UpstreamError` where there is no answer. */
export async function requestSink({ secrets, ...request }: SinkRequest, context: DeliveryContext): Promise<SinkAnswer> {
  const answer = await exchange(request, context);
  return { ...answer, words: toSafeWords(answer.text, secrets, secretCharactersMin) };
}

/** What an answer says of the destination as a whole: passing (408, 409, 425, 429, 5xx), or until somebody changes it. */
export function toSinkError(answer: SinkAnswer, where: string): UpstreamError {
  const { status } = answer;
  const options = {
    body: answer.words,
    ...(answer.retryAfterMs === null ? {} : { retryAfterMs: answer.retryAfterMs }),
  };
  const isPassing = [408, 409, 425, 429].includes(status) || status >= 500;
  return new UpstreamError(status, describeAnswer(answer, where), {
    ...options,
    fault: isPassing ? "transient" : "destination",
  });
}

/** One sentence about an answer, in the destination's own words. */
export function describeAnswer({ status, words, isHtml }: SinkAnswer, where: string): string {
  if (status >= 300 && status < 400)
    return `${where} redirected to another address (${String(status)}); redirects are not followed`;
  return `${where} said ${String(status)}: ${isHtml ? "a web page" : words === "" ? "(nothing)" : words}`;
}

/** The error for variables with which nothing can be sent: records wait until they are corrected. */
export function misconfigured(message: string): UpstreamError {
  return new UpstreamError(0, message, { fault: "destination" });
}

/** An http or https address without user, query and fragment, https where no scheme is given; null for any other. */
export function parseBaseUrl(text: string): URL | null {
  const trimmed = text.trim();
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") return null;
  return url.search === "" && url.hash === "" ? url : null;
}
