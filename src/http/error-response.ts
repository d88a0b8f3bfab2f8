import { z } from "zod";
import { isStopping } from "#http/readiness.ts";
import { anthropicErrorType, AppError, UpstreamError } from "#lib/errors.ts";
import { currentLogger } from "#lib/logger.ts";
import { isRefusedValue } from "#lib/refused-value.ts";
import { toAppError } from "#lib/to-app-error.ts";

/** The envelope of every OpenAI-like error: `code` is the HTTP status as text (`{"error": {…}}`). */
export const ErrorEnvelope = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable().describe("The field at fault."),
      code: z.string().describe("The HTTP status as text."),
    }),
  })
  .meta({ id: "ErrorEnvelope" });
export type ErrorEnvelope = z.output<typeof ErrorEnvelope>;

/** The refusal of those management routes that word it as FastAPI does. */
export const ErrorDetail = z
  .object({ detail: z.union([z.string(), z.object({ error: z.string() })]) })
  .meta({ id: "ErrorDetail" });

/** An error in the form of Anthropic's API, whose clients read `error.type`. */
export const AnthropicError = z
  .object({
    type: z.literal("error"),
    error: z.object({ type: z.string(), message: z.string() }),
    request_id: z.string(),
  })
  .meta({ id: "AnthropicError" });

/** What is wrong with a body or a query, field by field, as FastAPI lists it. */
export const ValidationErrors = z
  .object({
    detail: z.array(
      z.object({
        type: z.string(),
        loc: z.array(z.union([z.string(), z.number()])).describe("Where: `body` or `query`, and the way to the field."),
        msg: z.string(),
        input: z.unknown(),
      }),
    ),
  })
  .meta({ id: "ValidationErrors" });

/** What stands around an error: which request, which path, and in whose form the answer is. */
export type ErrorContext = { requestId: string; route: string; form?: "anthropic" | undefined };

/**
 * The answer for whatever was thrown. An `AppError` shows its message, an `UpstreamError` the remote party's, and a bug
 * only a fixed sentence with the request id; its stack goes to the log.
 */
export function toErrorResponse(error: unknown, context: ErrorContext): Response {
  const known = toAppError(error, context.requestId);
  logRefusal(known, error, context);
  return new Response(JSON.stringify(toBody(known, context)), {
    status: known.status,
    headers: {
      "content-type": "application/json",
      "x-litellm-call-id": context.requestId,
      "cache-control": "no-store",
      ...known.headers,
    },
  });
}

function toBody(error: AppError, { form, requestId }: ErrorContext): object {
  if (form === "anthropic") return toAnthropicError(error, requestId);
  return error.detail === undefined ? toEnvelope(error) : { detail: error.detail };
}

function toAnthropicError({ status, message }: AppError, requestId: string): z.output<typeof AnthropicError> {
  return { type: "error", error: { type: anthropicErrorType(status), message }, request_id: requestId };
}

/** The wire's envelope of an error. */
export function toEnvelope(error: AppError): ErrorEnvelope {
  return {
    error: { message: error.message, type: error.type, param: error.param, code: String(error.status) },
  };
}

function logRefusal(known: AppError, error: unknown, { requestId, route }: ErrorContext): void {
  const fields = { requestId, route, status: known.status, code: known.code };
  const logger = currentLogger();
  // Probes ask all through a stop, and its answer is no fault.
  if (isStopping(known)) logger.info(fields, "not ready: the gateway is stopping");
  else if (known.status >= 500) logger.error({ ...fields, error: errorText(error) }, "request failed");
  else if (known.status === 401 || known.status === 404) logger.info(fields, "request refused");
  else if (isRefusedValue(error)) logger.warn({ ...fields, error: errorText(error) }, "a value cannot be stored");
  else logger.warn(fields, "request refused");
}

/** Stack for a bug; only the class for what quotes a caller or an upstream. */
function errorText(error: unknown): string {
  if (error instanceof AppError || error instanceof UpstreamError) return error.name;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
