import { fetchUpstream, readStart } from "#lib/fetch-upstream.ts";
import { readRetryAfterMs } from "#lib/retry-after.ts";
import type { DeliveryContext } from "#logging/destinations/destination.ts";
import { cutText } from "#logging/destinations/langfuse-cap.ts";
import { readJson } from "#lib/read-json.ts";

/** One request to a destination. */
export type ExchangeRequest = {
  method: "GET" | "POST";
  url: string;
  headers: Readonly<Record<string, string>>;
  body?: string | Uint8Array | undefined;
  /** How much of the answer is read. Default 64 kB. */
  answerBytesMax?: number | undefined;
  /** From the call to the answer's last byte. Default 40 s. */
  totalTimeoutMs?: number | undefined;
};

/** An answer, read. */
export type ExchangeAnswer = {
  status: number;
  /** The beginning of the body as it came. It may hold what we sent: nobody is shown it as it is. */
  text: string;
  /** True where the body is a web page, such as a proxy's sign-in, whatever the status says. */
  isHtml: boolean;
  retryAfterMs: number | null;
};

const answerBytesMaxDefault = 64 * 1024;
const totalTimeoutMsDefault = 40_000;
const wordsMax = 500;

/** Sends a request to a destination and reads what is answered; throws `UpstreamError` where there is no answer. */
export async function exchange(request: ExchangeRequest, context: DeliveryContext): Promise<ExchangeAnswer> {
  const { method, url, headers, body, answerBytesMax, totalTimeoutMs } = request;
  const response = await fetchUpstream(url, {
    method,
    headers,
    body,
    reach: context.reach,
    signal: context.signal,
    headersTimeoutMs: 20_000,
    bodyTimeoutMs: 10_000,
    totalTimeoutMs: totalTimeoutMs ?? totalTimeoutMsDefault,
  });
  const text = (await readStart(response, answerBytesMax ?? answerBytesMaxDefault)).toString("utf8");
  return {
    status: response.status,
    text,
    isHtml: /html/i.test(response.headers["content-type"] ?? "") || text.trimStart().startsWith("<"),
    retryAfterMs: readRetryAfterMs(response.headers),
  };
}

/**
 * What the other side said, in at most 500 characters and without the secrets, which it may have echoed. Secrets of
 * fewer than `charactersMin` stay. The longest go first, because a shorter one may be a part of them.
 */
export function toSafeWords(text: string, secrets: readonly string[], charactersMin = 1): string {
  const all = secrets
    .flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
    .filter((secret) => secret.length >= charactersMin)
    .toSorted((left, right) => right.length - left.length);
  const words = all.reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
  return cutText(words.replace(/\s+/g, " ").trim(), wordsMax);
}

/** The JSON object in a text; null where there is none. */
export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = readJson(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}
