import { UpstreamError } from "#lib/errors.ts";

const failureKinds = [
  "connect",
  "closed",
  "protocol",
  "invalid_request",
  "refused_by_guard",
  "too_large",
  "timeout_connect",
  "timeout_headers",
  "timeout_body",
  "timeout_total",
] as const;

/** Why there is no answer, or no whole one. Stable: it is what circuits and health checks decide by. */
export type FailureKind = (typeof failureKinds)[number];

/** The `cause` of an `UpstreamError` of `fetchUpstream`: the kind, and the code of the system or of the HTTP client. */
export type Failure = { kind: FailureKind; code: string };

/** The code of the error by which a connector refuses a target; its message is the reason. */
export const refusalCode = "ERR_DESTINATION_REFUSED";

const messages: Record<FailureKind, (host: string, code: string) => string> = {
  connect: (host, code) => `Could not connect to ${host} (${code})`,
  closed: (host, code) => `The connection to ${host} was closed before the answer was complete (${code})`,
  protocol: (host, code) => `${host} did not answer in valid HTTP (${code})`,
  invalid_request: (host, code) => `The request to ${host} is not valid HTTP (${code})`,
  refused_by_guard: (host, reason) => `The destination ${host} is refused: ${reason}`,
  too_large: (host, limit) => `The answer of ${host} is larger than ${limit} bytes`,
  timeout_connect: (host) => `Timeout: no connection to ${host} in time`,
  timeout_headers: (host) => `Timeout: no answer from ${host} in time`,
  timeout_body: (host) => `Timeout: the answer of ${host} stopped coming`,
  timeout_total: (host) => `Timeout: the answer of ${host} was not complete in time`,
};

const kinds: Readonly<Record<string, FailureKind>> = {
  [refusalCode]: "refused_by_guard",
  UND_ERR_CONNECT_TIMEOUT: "timeout_connect",
  UND_ERR_HEADERS_TIMEOUT: "timeout_headers",
  UND_ERR_BODY_TIMEOUT: "timeout_body",
  UND_ERR_INVALID_ARG: "invalid_request",
  UND_ERR_NOT_SUPPORTED: "invalid_request",
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: "invalid_request",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "closed",
  UND_ERR_HEADERS_OVERFLOW: "protocol",
};

/** Kinds for which a retry would only repeat them, until somebody changes the destination. */
const lasting: ReadonlySet<FailureKind> = new Set(["refused_by_guard", "invalid_request", "too_large"]);

/** The error for a kind of failure. `detail` is a code, or for the guard its reason; it is shown. */
export function toUpstreamError(kind: FailureKind, host: string, detail: string): UpstreamError {
  const cause: Failure = { kind, code: kind === "refused_by_guard" ? refusalCode : detail };
  const message = messages[kind](host, detail);
  return new UpstreamError(0, message, lasting.has(kind) ? { cause, fault: "destination" } : { cause });
}

/**
 * What the HTTP client reported, as an error that may be shown: its own message can hold the resolved address, so only
 * its code is taken. `sent` tells whether the request was on its way.
 */
export function describeFailure(error: unknown, host: string, sent: boolean): UpstreamError {
  const code = codeOf(error);
  const kind = kinds[code] ?? (code.startsWith("HPE_") ? "protocol" : sent ? "closed" : kindBeforeSending(code));
  const reason = kind === "refused_by_guard" && error instanceof Error ? error.message : code;
  return toUpstreamError(kind, host, kind === "closed" && code === "UND_ERR_SOCKET" ? "ECONNRESET" : reason);
}

/** The kind and code of a failure of `fetchUpstream`, or null for any other error. */
export function findFailure(error: unknown): Failure | null {
  if (!(error instanceof UpstreamError) || error.status !== 0) return null;
  const { cause } = error;
  if (typeof cause !== "object" || cause === null || !("kind" in cause) || !("code" in cause)) return null;
  const kind = failureKinds.find((each) => each === cause.kind);
  return kind === undefined ? null : { kind, code: String(cause.code) };
}

function kindBeforeSending(code: string): FailureKind {
  return code === "ETIMEDOUT" ? "timeout_connect" : "connect";
}

function codeOf(error: unknown): string {
  // The client's parser leaves its own code out in some builds.
  if (error instanceof Error && error.name === "HTTPParserError") return "HPE_INVALID";
  if (typeof error !== "object" || error === null || !("code" in error)) return "no code";
  return typeof error.code === "string" && /^[A-Z][A-Z0-9_]{2,60}$/.test(error.code) ? error.code : "no code";
}
