import { commitFailure, planCall, toJudged, type Call } from "#gateway/call.ts";
import { toSendable } from "#gateway/call-headers.ts";
import { startCall, type CallStart } from "#gateway/call-record.ts";
import { toKeyHeaders } from "#gateway/key-headers.ts";
import type { Deployment } from "#gateway/models.ts";
import { ofRefusal } from "#gateway/upstream-failure.ts";
import { AppError } from "#lib/errors.ts";
import { currentLogger } from "#lib/logger.ts";
import { toAppError } from "#lib/to-app-error.ts";
import { version } from "#lib/version.ts";
import { toReceipt } from "#logging/log-call.ts";

/**
 * Logs a call that goes no further by our own decision, and gives the refusal as the client gets it: with the receipt
 * and with what there is to say of the key.
 */
export async function refuseCall(call: Call, error: AppError): Promise<AppError> {
  const refused = { ...call, deployment: null };
  const isKept = await commitFailure(refused, ofRefusal(error));
  const receipt = failureReceipt(refused, isKept);
  const headers = { "x-litellm-version": version, "x-sluice-log": receipt, ...findKeyHeaders(call) };
  return withHeaders(error, toSendable({ ...error.headers, ...headers }));
}

/** A refusal is told even if nothing can be said of the key. */
function findKeyHeaders(call: Call): Record<string, string> {
  try {
    return toKeyHeaders(call);
  } catch {
    return {};
  }
}

/** What the client is told of a thrown error. Our own log gets the stack of one that nobody expected. */
export function toRefusal({ start: { callId, recordId } }: Call, error: unknown): AppError {
  // In a call, a number out of range or a full stack is a bug of ours and no value that the database refused.
  const isBug = error instanceof RangeError;
  const refusal = toAppError(isBug ? new Error(error.message, { cause: error }) : error, callId);
  if (refusal === error) return refusal;
  const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
  currentLogger().error({ recordId, error: shown }, "a call failed for a reason that is not its own");
  return refusal;
}

/** `refuseCall` for a call whose body could not be read: to the key's owner it failed like any other. */
export function refuseUnread(
  call: Omit<CallStart, "body" | "recordId" | "startTimeMs">,
  error: AppError,
): Promise<AppError> {
  return refuseCall(planCall(startCall({ ...call, body: {} })), error);
}

/** The receipt of a call that failed. A record that was lost has none. */
export function failureReceipt(
  { plan, start, deployment }: Call & { deployment: Deployment | null },
  isKept: boolean,
): string {
  return isKept ? toReceipt(plan, "queued", toJudged(start, deployment, "failure")) : "none";
}

/** The same error, answered with these headers. */
export function withHeaders(error: AppError, headers: Record<string, string>): AppError {
  const { code, message, status, type, param, cause } = error;
  return new AppError(code, message, { status, type, ...(param === null ? {} : { param }), headers, cause });
}
