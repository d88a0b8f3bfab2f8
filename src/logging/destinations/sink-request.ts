import { UpstreamError } from "#lib/errors.ts";
import { fetchUpstream, readStart } from "#lib/fetch-upstream.ts";
import { toRetryAfterMs } from "#lib/retry-after.ts";
import type { DeliveryContext } from "#logging/destinations/destination.ts";
import { cutText } from "#logging/destinations/langfuse-cap.ts";

/** One request to a destination, and the texts that no message may show. */
export type SinkRequest = {
  method: "GET" | "POST";
  url: string;
  headers: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  secrets: readonly string[];
};

/** An answer, read. */
export type SinkAnswer = {
  status: number;
  /** The beginning of the body as it came; for showing use `words`. */
  text: string;
  /** The same in at most 500 characters, safe to show. */
  words: string;
  /** True where the body is a web page, such as a proxy's sign-in, whatever the status says. */
  isHtml: boolean;
  retryAfterMs: number | null;
};

const answerBytesMax = 64 * 1024;
const wordsMax = 500;
/** Shorter texts are no secrets, and taking them out would spoil every message. */
const secretCharactersMin = 4;

/** Sends a request and reads what is answered; throws `UpstreamError` where there is no answer. */
export async function requestSink(request: SinkRequest, context: DeliveryContext): Promise<SinkAnswer> {
  const response = await fetchUpstream(request.url, {
    method: request.method,
    headers: request.headers,
    body: request.body,
    reach: context.reach,
    signal: context.signal,
    headersTimeoutMs: 20_000,
    bodyTimeoutMs: 10_000,
    totalTimeoutMs: 40_000,
  });
  const text = (await readStart(response, answerBytesMax)).toString("utf8");
  return {
    status: response.status,
    text,
    words: toSafeWords(text, request.secrets),
    isHtml: /html/i.test(response.headers["content-type"] ?? "") || text.trimStart().startsWith("<"),
    retryAfterMs: toRetryAfterMs(response.headers["retry-after"]),
  };
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

/** The longest secrets go first, because a shorter one may be a part of them. */
function toSafeWords(text: string, secrets: readonly string[]): string {
  const all = secrets
    .flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
    .filter((secret) => secret.length >= secretCharactersMin)
    .toSorted((left, right) => right.length - left.length);
  const words = all.reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
  return cutText(words.replace(/\s+/g, " ").trim(), wordsMax);
}
