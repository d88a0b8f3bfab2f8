import { z } from "zod";
import { UpstreamError } from "#lib/errors.ts";
import type { DeliveryContext } from "#logging/destinations/destination.ts";
import { exchange, parseObject } from "#logging/destinations/exchange.ts";
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

const wordsMax = 500;
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
  const answer = await exchange(
    {
      method: request.method,
      url: `${target.url}${request.path}`,
      headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...request.headers },
      body: request.body,
      totalTimeoutMs: 60_000,
    },
    context,
  );
  const body = parseObject(answer.text);
  const error = ErrorBody.safeParse(body);
  const words = error.success ? error.data.error.message : answer.text;
  return {
    status: answer.status,
    body,
    words: (token === null ? words : words.replaceAll(token, "***")).replace(/\s+/g, " ").trim().slice(0, wordsMax),
    reason: error.success ? (error.data.error.errors[0]?.reason ?? "") : "",
    retryAfterMs: answer.retryAfterMs,
  };
}
