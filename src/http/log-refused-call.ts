import { readControls } from "#gateway/request-controls.ts";
import { findRefusedCaller } from "#http/find-refused-caller.ts";
import { strangerCaller, type Caller } from "#keys/caller.ts";
import { configState } from "#lib/config.ts";
import type { Db } from "#lib/db.ts";
import type { AppError } from "#lib/errors.ts";
import { newRecordId } from "#lib/id.ts";
import { currentLogger } from "#lib/logger.ts";
import { noteLostCall, untilCut } from "#logging/calls-in-flight.ts";
import { deliveryState } from "#logging/delivery.ts";
import { logCall } from "#logging/log-call.ts";
import { planLog, type LogPlan } from "#logging/log-plan.ts";
import { choosePolicy } from "#logging/policy.ts";
import { noUsage, type LogRecord } from "#logging/record.ts";

/** A call that was refused before its body was read. */
export type RefusedCall = {
  request: Request;
  path: string;
  callId: string;
  callType: string;
  /** Whose key it came with, as far as the refusal tells. */
  caller: Caller | null;
};

/**
 * Logs a call that was refused before its body was read, by the policy of its key's owner. The key may be blocked,
 * expired, deleted or sent in a wrong form. A call with nobody's key goes to the global callbacks. If the owner cannot
 * be resolved, for example because the database is away, nothing is logged. The record has no content.
 */
export async function logRefusedCall(db: Db, error: AppError, call: RefusedCall): Promise<void> {
  if (error.status >= 500) return;
  try {
    const owner = call.caller ?? (await untilCut(findRefusedCaller(db, call.request)));
    if (owner === "unclear") return;
    const plan = owner === "nobody" ? planOfNobody() : planRefusal(owner, call.request);
    const caller = owner === "nobody" ? strangerCaller : owner;
    await queue(plan, toRefusedRecord(error, { ...call, caller }));
  } catch (cause) {
    currentLogger().warn({ requestId: call.callId, error: String(cause) }, "a refused call is not logged");
  }
}

async function queue(plan: LogPlan, record: LogRecord): Promise<void> {
  await logCall(plan, record).catch((cause: unknown) => {
    noteLostCall();
    currentLogger().error({ recordId: record.recordId, error: String(cause) }, "a record could not be queued");
  });
}

/** As for a call of the owner, as far as its headers steer the log. */
function planRefusal(caller: Caller, { headers }: Request): LogPlan {
  const isTeamDisabled = caller.teamId !== null && deliveryState.get().isDisabled(caller.teamId);
  const controls = readControls({}, headers, caller);
  return planLog(caller.logging, { controls, isTeamDisabled }, configState.get());
}

/** The headers of somebody without a key steer nothing. */
function planOfNobody(): LogPlan {
  const config = configState.get();
  const policy = choosePolicy({ teamId: null, key: null, team: null }, config);
  const controls = { noLog: false, disabledCallbacks: [], redact: false, liftRedaction: false };
  return planLog(policy, { controls, isTeamDisabled: false }, config);
}

function toRefusedRecord(
  error: AppError,
  { caller, path, callId, callType }: RefusedCall & { caller: Caller },
): LogRecord {
  const nowMs = Date.now();
  return {
    recordId: newRecordId(),
    callId,
    responseId: null,
    callType,
    route: path,
    status: "failure",
    clientDisconnected: false,
    stream: false,
    startTimeMs: nowMs,
    completionStartTimeMs: nowMs,
    endTimeMs: nowMs,
    provider: null,
    model: "",
    modelGroup: null,
    modelId: null,
    apiBase: null,
    input: { messages: [] },
    response: null,
    modelParameters: {},
    usage: noUsage,
    responseCostUsd: 0,
    cacheHit: null,
    caller: caller.attribution,
    endUser: null,
    requestTags: [],
    requesterMetadata: {},
    requesterIpAddress: null,
    userAgent: null,
    error: {
      code: String(error.status),
      class: error.status === 403 ? "PermissionDeniedError" : "AuthenticationError",
      message: error.logMessage,
    },
  };
}
