import { z } from "zod";
import { UpstreamError } from "#lib/errors.ts";
import { fetchUpstream, readStart } from "#lib/fetch-upstream.ts";
import { toRetryAfterMs } from "#lib/retry-after.ts";
import type { DeliveryContext } from "#logging/destinations/destination.ts";
import type { GcsCredentials } from "#logging/destinations/gcs-bucket-account.ts";
import type { GcsTarget } from "#logging/destinations/gcs-bucket-target.ts";
import { findAccessToken } from "#logging/destinations/gcs-bucket-token.ts";

/** A bucket, and as whom to write to it. */
export type GcsSession = { target: GcsTarget; credentials: GcsCredentials; context: DeliveryContext };

/** One request to the JSON API. */
export type GcsRequest = { method: "GET" | "POST"; path: string; headers?: Record<string, string>; body?: Uint8Array };

/** An answer, read. */
export type GcsAnswer = {
  status: number;
  /** The JSON object in the body; null where there is none. */
  body: Record<string, unknown> | null;
  /** Google's own message, safe to show. */
  words: string;
  /** Google's word for the kind of error, such as `rateLimitExceeded`; empty where there is none. */
  reason: string;
  retryAfterMs: number | null;
};

const answerBytesMax = 64 * 1024;
const wordsMax = 500;
const JsonBody = z.record(z.string(), z.unknown());
const ErrorBody = z.object({
  error: z.object({
    message: z.string().default(""),
    errors: z.array(z.object({ reason: z.string().default("") })).default([]),
  }),
});

/**
 * Calls the JSON API with a token and reads the answer. A 401 for a token that was kept is asked again with a new one.
 * Throws `UpstreamError` where there is no answer or no token.
 */
export async function requestGcs(session: GcsSession, request: GcsRequest): Promise<GcsAnswer> {
  const { credentials, context } = session;
  const token = await findAccessToken(credentials, context);
  const answer = await requestWith(token, session, request);
  if (answer.status !== 401 || credentials.kind !== "account") return answer;
  const fresh = await findAccessToken(credentials, context, token);
  return fresh === token ? answer : requestWith(fresh, session, request);
}

/** The error for an answer that is no success, in Google's words, with the fault that it stands for. */
export function toGcsError(answer: GcsAnswer, { bucket, host }: GcsTarget): UpstreamError {
  const { status, words, reason } = answer;
  const wait = answer.retryAfterMs === null ? {} : { retryAfterMs: answer.retryAfterMs };
  const said = `Google Cloud Storage (${host}, bucket ${bucket}) said ${String(status)}: ${words === "" ? "(nothing)" : words}`;
  if (status >= 300 && status < 400) {
    return new UpstreamError(status, `${said}; redirects are not followed`, { fault: "destination" });
  }
  if (status >= 200 && status < 300) {
    return new UpstreamError(status, `${host} did not answer as Google Cloud Storage does`, { fault: "destination" });
  }
  if (status === 403 && /^(rateLimit|userRateLimit|quota)Exceeded$/.test(reason)) {
    return new UpstreamError(status, said, { ...wait, fault: "transient" });
  }
  // A bucket whose requester pays: no object of it will be taken until somebody changes that.
  if (status === 400 && /user ?project/i.test(words)) return new UpstreamError(status, said, { fault: "destination" });
  return new UpstreamError(status, said, wait);
}

async function requestWith(token: string | null, session: GcsSession, request: GcsRequest): Promise<GcsAnswer> {
  const { target, context } = session;
  const response = await fetchUpstream(`${target.url}${request.path}`, {
    method: request.method,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...request.headers },
    body: request.body,
    reach: context.reach,
    signal: context.signal,
    headersTimeoutMs: 20_000,
    bodyTimeoutMs: 10_000,
    totalTimeoutMs: 60_000,
  });
  const text = (await readStart(response, answerBytesMax)).toString("utf8");
  const error = ErrorBody.safeParse(parseObject(text));
  const words = error.success ? error.data.error.message : text;
  return {
    status: response.status,
    body: parseObject(text),
    words: (token === null ? words : words.replaceAll(token, "***")).replace(/\s+/g, " ").trim().slice(0, wordsMax),
    reason: error.success ? (error.data.error.errors[0]?.reason ?? "") : "",
    retryAfterMs: toRetryAfterMs(response.headers["retry-after"]),
  };
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const parsed = JsonBody.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
