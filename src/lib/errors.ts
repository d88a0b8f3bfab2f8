import { boundWaitMs } from "#lib/retry-after.ts";

/**
 * The two error classes of the product and the one table behind them.
 * `AppError`: the caller or we are at fault. `UpstreamError`: a remote party is.
 * Anything else that is thrown is a bug and never shown to a caller.
 */

/** Error code -> HTTP status, the wire's `type`, and the tRPC code. Read by REST and tRPC alike. */
export const errorCodes = {
  bad_request: { status: 400, type: "bad_request_error", trpc: "BAD_REQUEST" },
  unauthorized: { status: 401, type: "auth_error", trpc: "UNAUTHORIZED" },
  forbidden: { status: 403, type: "auth_error", trpc: "FORBIDDEN" },
  not_found: { status: 404, type: "not_found_error", trpc: "NOT_FOUND" },
  method_not_allowed: { status: 405, type: "invalid_request_error", trpc: "METHOD_NOT_SUPPORTED" },
  conflict: { status: 409, type: "conflict_error", trpc: "CONFLICT" },
  too_large: { status: 413, type: "invalid_request_error", trpc: "PAYLOAD_TOO_LARGE" },
  unprocessable: { status: 422, type: "invalid_request_error", trpc: "UNPROCESSABLE_CONTENT" },
  rate_limited: { status: 429, type: "throttling_error", trpc: "TOO_MANY_REQUESTS" },
  internal: { status: 500, type: "internal_server_error", trpc: "INTERNAL_SERVER_ERROR" },
  unavailable: { status: 503, type: "service_unavailable_error", trpc: "SERVICE_UNAVAILABLE" },
} as const;

/** A row of the error table. */
export type ErrorCode = keyof typeof errorCodes;

/** What an `AppError` may carry beside its code and message. */
export type AppErrorOptions = {
  /** The wire's `param`: the field at fault. */
  param?: string;
  /** The wire's `type` where LiteLLM's differs from the table's. */
  type?: string;
  /** The HTTP status where LiteLLM's differs from the table's. */
  status?: number;
  /** A FastAPI-style body `{"detail": …}` instead of the envelope (`spec` of the wire, section 2.1). */
  detail?: unknown;
  /** Headers of the answer, beside those that every answer has. */
  headers?: Readonly<Record<string, string>>;
  /** What a log says instead of the message, if the message repeats a part of what the caller sent as a key. */
  logMessage?: string;
  cause?: unknown;
};

/** The caller or we are at fault. `message` is shown to the caller and holds no secret. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly type: string;
  readonly param: string | null;
  readonly detail: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly logMessage: string;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.status = options.status ?? errorCodes[code].status;
    this.type = options.type ?? errorCodes[code].type;
    this.param = options.param ?? null;
    this.detail = options.detail;
    this.headers = options.headers ?? {};
    this.logMessage = options.logMessage ?? message;
  }
}

/**
 * Whose fault a failed remote call is, which decides what happens to what was sent:
 * `transient` try again with back-off, `record` this item will never be taken, `destination` nothing will be
 * taken until somebody changes the destination, `too_large` split or truncate.
 */
export type UpstreamFault = "transient" | "record" | "destination" | "too_large";

/** What an `UpstreamError` may carry beside status and message. */
export type UpstreamErrorOptions = {
  /** The remote party's own body, as text, cut to a few kB. */
  body?: string;
  /** How long the remote party asked us to wait. An hour at most is kept. */
  retryAfterMs?: number;
  /** Overrides the fault that the status implies. */
  fault?: UpstreamFault;
  cause?: unknown;
};

/** A remote party is at fault. `status` is 0 where there was no answer at all. */
export class UpstreamError extends Error {
  readonly status: number;
  readonly body: string;
  readonly retryAfterMs: number | null;
  readonly fault: UpstreamFault;

  constructor(status: number, message: string, options: UpstreamErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = "UpstreamError";
    this.status = status;
    this.body = options.body ?? "";
    this.retryAfterMs = options.retryAfterMs === undefined ? null : boundWaitMs(options.retryAfterMs);
    this.fault = options.fault ?? faultOfStatus(status);
  }

  /** True where the same request may succeed later (408, 425, 429, 5xx, no answer). */
  get retryable(): boolean {
    return this.fault === "transient";
  }
}

/** The fault that an HTTP status implies; 0 stands for no answer. */
export function faultOfStatus(status: number): UpstreamFault {
  if (status === 0 || status === 408 || status === 425 || status === 429 || status >= 500) return "transient";
  if (status === 401 || status === 403 || status === 404 || status === 405) return "destination";
  if (status === 413) return "too_large";
  if (status >= 300 && status < 400) return "destination";
  return "record";
}

const anthropicErrorTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/** The type that Anthropic's API gives an error of a status. https://docs.anthropic.com/en/api/errors */
export function anthropicErrorType(status: number): string {
  return anthropicErrorTypes[status] ?? (status >= 500 ? "api_error" : "invalid_request_error");
}
