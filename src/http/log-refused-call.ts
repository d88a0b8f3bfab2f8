import { readBearer } from "#http/bearer.ts";
import { strangerCaller, type Caller } from "#keys/caller.ts";
import { cachedCaller } from "#keys/caller-cache.ts";
import { configState } from "#lib/config.ts";
import type { AppError } from "#lib/errors.ts";
import { newRecordId, sha256Hex } from "#lib/id.ts";
import { currentLogger } from "#lib/logger.ts";
import { noteLostCall } from "#logging/calls-in-flight.ts";
import { deliveryState } from "#logging/delivery.ts";
import { logCall } from "#logging/log-call.ts";
import { planLog } from "#logging/log-plan.ts";
import { choosePolicy } from "#logging/policy.ts";
import { noUsage, type LogRecord } from "#logging/record.ts";

const noControls = { noLog: false, disabledCallbacks: [], redact: false, liftRedaction: false } as const;

/**
 * Logs a call that was refused at the door: to the failure callbacks of its key where the key is known (blocked,
 * expired), else to the global ones. Its body was not read, so the record has no content.
 */
export async function logRefusedCall(
  error: AppError,
  { request, path, callId, callType }: { request: Request; path: string; callId: string; callType: string },
): Promise<void> {
  if (error.status >= 500) return;
  const config = configState.get();
  const caller = findKnownCaller(request);
  const policy = caller?.logging ?? choosePolicy({ teamId: null, key: null, team: null }, config);
  const teamId = caller?.teamId ?? null;
  const isTeamDisabled = teamId !== null && deliveryState.get().isDisabled(teamId);
  const plan = planLog(policy, { controls: noControls, isTeamDisabled }, config);
  const record = toRefusedRecord(error, { caller: caller ?? strangerCaller, path, callId, callType });
  await logCall(plan, record).catch((cause: unknown) => {
    noteLostCall();
    currentLogger().error({ recordId: record.recordId, error: String(cause) }, "a record could not be queued");
  });
}

function findKnownCaller(request: Request): Caller | null {
  try {
    const bearer = readBearer(request.headers);
    return bearer === null ? null : (cachedCaller(sha256Hex(bearer), Date.now()) ?? null);
  } catch {
    return null;
  }
}

function toRefusedRecord(
  error: AppError,
  { caller, path, callId, callType }: { caller: Caller; path: string; callId: string; callType: string },
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
      message: error.message,
    },
  };
}
