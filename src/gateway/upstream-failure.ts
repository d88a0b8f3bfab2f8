import type { Deployment } from "#gateway/models.ts";
import { findProvider } from "#gateway/providers/index.ts";
import { withoutSecrets } from "#gateway/without-secrets.ts";
import { AppError, UpstreamError } from "#lib/errors.ts";
import { findFailure } from "#lib/fetch-failure.ts";
import { isJsonObject, type LogRecord } from "#logging/record.ts";
import { readJson } from "#lib/read-json.ts";

/** An upstream's refusal, as the client gets it and as the record keeps it. */
export type CallFailure = {
  error: AppError;
  logged: NonNullable<LogRecord["error"]>;
  retryAfter: string | null;
  /** How long the upstream asked to be left alone, in milliseconds; an hour at most. */
  waitMs?: number | null;
  /** True where the upstream said that the request is too long for the model. */
  isContextWindow: boolean;
  /** True if the upstream has begun to work: it had said yes, or timed out before it answered. */
  wasBegun?: boolean;
};

/** LiteLLM's class names by status. */
const classOfStatus: Readonly<Record<number, string>> = {
  400: "BadRequestError",
  401: "AuthenticationError",
  403: "PermissionDeniedError",
  404: "NotFoundError",
  408: "Timeout",
  413: "BadRequestError",
  422: "UnprocessableEntityError",
  429: "RateLimitError",
  500: "InternalServerError",
  502: "BadGatewayError",
  503: "ServiceUnavailableError",
  504: "Timeout",
};

/** An answer whose status says no: its own status, type, param and code in the envelope, its words after LiteLLM's prefix. */
export function ofStatus(
  deployment: Deployment,
  answer: { status: number; text: string; retryAfter: string | null },
): CallFailure {
  const said = readError(withoutSecrets(answer.text, deployment));
  // An upstream that redirects or answers nonsense is a bad gateway to the client.
  const status = answer.status >= 400 ? answer.status : 502;
  const isContextWindow = [400, 413, 422].includes(status) && contextWindow.test(`${said.code ?? ""} ${said.message}`);
  const className = isContextWindow
    ? "ContextWindowExceededError"
    : (classOfStatus[status] ?? (status >= 500 ? "InternalServerError" : "APIError"));
  const message = `litellm.${className}: ${className}: ${exceptionName(deployment)} - ${said.message}`;
  const error = new AppError(status >= 500 ? "internal" : "bad_request", message, {
    status,
    type: said.type ?? className,
    ...(said.param === null ? {} : { param: said.param }),
  });
  const logged = { code: String(status), class: className, message };
  return { error, logged, retryAfter: answer.retryAfter, isContextWindow };
}

/** An error frame in the middle of a stream: with the status that it names, 500 otherwise. */
export function ofErrorFrame(deployment: Deployment, text: string): CallFailure {
  return ofStatus(deployment, { status: statusIn(text), text, retryAfter: null });
}

function statusIn(text: string): number {
  const body: unknown = parseJson(text);
  const error = isJsonObject(body) && isJsonObject(body.error) ? body.error : {};
  const named = [error.status, error.status_code, error.code].map(Number);
  return named.find((status) => Number.isInteger(status) && status >= 400 && status <= 599) ?? 500;
}

/** No answer, or one that broke off: 408 for a timeout, 500 otherwise. */
export function ofThrown(deployment: Deployment, thrown: unknown): CallFailure {
  const failure = findFailure(thrown);
  const isTimeout = failure?.kind.startsWith("timeout") ?? false;
  const className = isTimeout ? "Timeout" : "APIConnectionError";
  const reason = thrown instanceof UpstreamError ? withoutSecrets(thrown.message, deployment) : "the connection failed";
  const message = `litellm.${className}: ${className}: ${exceptionName(deployment)} - ${reason}`;
  const status = isTimeout ? 408 : 500;
  const error = new AppError("internal", message, {
    status,
    type: isTimeout ? "timeout_error" : "api_connection_error",
  });
  const logged = { code: String(status), class: className, message };
  return { error, logged, retryAfter: null, isContextWindow: false };
}

/** A refusal of our own (no such model, not allowed, bad body), as the record keeps it. */
export function ofRefusal(error: AppError): NonNullable<LogRecord["error"]> {
  return { code: String(error.status), class: classOfStatus[error.status] ?? "APIError", message: error.message };
}

/** A call that the gateway cut at its stop. */
export function ofCut(error: AppError): CallFailure {
  const retryAfter = error.headers["retry-after"] ?? null;
  return { error, logged: ofRefusal(error), retryAfter, isContextWindow: false };
}

function exceptionName(deployment: Deployment): string {
  return findProvider(deployment.provider)?.exceptionName ?? "OpenAIException";
}

const textLengthMax = 2_000;

type SaidError = { message: string; type: string | null; param: string | null; code: string | null };

/** How vendors say that a request is too long for a model. */
const contextWindow =
  /context_length_exceeded|string_above_max_length|maximum context length|context (window|length)|prompt is too long|input is too long|too many (input )?tokens|exceeds the maximum number of tokens/i;

/** OpenAI's error object, or the text as it came, cut to 2,000 characters. */
function readError(text: string): SaidError {
  const plain = {
    message: text.slice(0, textLengthMax) || "The upstream gave no reason.",
    type: null,
    param: null,
    code: null,
  };
  const parsed = parseJson(text);
  // Google's endpoint in OpenAI's form sends a list with one error in it.
  const body: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!isJsonObject(body)) return plain;
  const error = isJsonObject(body.error) ? body.error : body;
  // A text in place of the object is Ollama's own form, and that of servers built with FastAPI (Mistral, vLLM).
  const message = [error.message, body.error, body.detail].find((text) => typeof text === "string");
  return {
    message: message ?? plain.message,
    type: [error.type, error.status].find((word) => typeof word === "string") ?? null,
    param: typeof error.param === "string" ? error.param : null,
    code: typeof error.code === "string" ? error.code : null,
  };
}

function parseJson(text: string): unknown {
  try {
    return readJson(text);
  } catch {
    return null;
  }
}
