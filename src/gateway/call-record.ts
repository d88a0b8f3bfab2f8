import type { Caller, KeyNumbers } from "#keys/caller.ts";
import type { Deployment } from "#gateway/models.ts";
import { readMetadata, readTags } from "#gateway/request-metadata.ts";
import { costOf } from "#gateway/call-cost.ts";
import type { Operation } from "#gateway/operation.ts";
import { settleUnits } from "#gateway/settle-usage.ts";
import {
  isJsonObject,
  type JsonObject,
  type LogRecord,
  type RecordAttempt,
  type RecordUsage,
} from "#logging/record.ts";
import { newRecordId } from "#lib/id.ts";
import type { CallInFlight } from "#logging/calls-in-flight.ts";

/** What is known of a call when it starts. */
export type CallStart = {
  recordId: string;
  callId: string;
  callIdIsClients: boolean;
  operation: Operation;
  route: string;
  caller: Caller;
  body: JsonObject;
  headers: Headers;
  startTimeMs: number;
  /** Aborted when the client leaves or the gateway cuts the call; absent if neither can happen. */
  signal?: AbortSignal | undefined;
  /** What the stop of the gateway waits for; absent for a call that it does not know. */
  inFlight?: CallInFlight | undefined;
};

/** What became of a call. */
export type CallEnd = {
  deployment: Deployment | null;
  response: JsonObject | null;
  usage: RecordUsage;
  error: LogRecord["error"];
  completionStartTimeMs: number | null;
  clientDisconnected: boolean;
  /** True where the answer was kept from an earlier call, which is free. */
  cacheHit?: boolean;
  /** What the upstream asks money for. Absent: the whole answer, and nothing if the call failed. */
  billed?: Billed;
  /** The attempts that failed before the last one. */
  attempts?: readonly RecordAttempt[];
};

/** `cut`: the upstream has begun to work, and its answer did not come whole. */
export type Billed = "whole" | "cut" | "nothing";

/** Starts the clock and the identity of a call. A call id that the client did not choose is the record id. */
export function startCall(start: Omit<CallStart, "recordId" | "startTimeMs">): CallStart {
  return { ...start, recordId: start.callIdIsClients ? newRecordId() : start.callId, startTimeMs: nowMs() };
}

/** Epoch milliseconds with a fraction. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Puts a call's record together, field by field. */
export function toCallRecord(start: CallStart, end: CallEnd): LogRecord {
  const { operation, body, caller, headers } = start;
  const endTimeMs = nowMs();
  const { deployment } = end;
  const model = typeof body.model === "string" ? body.model : "";
  return {
    recordId: start.recordId,
    callId: start.callId,
    ...(start.callIdIsClients ? { callIdIsClients: true } : {}),
    responseId: typeof end.response?.id === "string" ? end.response.id : null,
    callType: operation.callType,
    route: start.route,
    status: end.error === null ? "success" : "failure",
    clientDisconnected: end.clientDisconnected,
    stream: body.stream === true,
    startTimeMs: start.startTimeMs,
    completionStartTimeMs: end.completionStartTimeMs ?? endTimeMs,
    endTimeMs,
    provider: deployment?.provider ?? null,
    model: deployment?.upstreamModel ?? model,
    modelGroup: model,
    modelId: deployment?.id ?? null,
    apiBase: shownApiBase(deployment),
    input: operation.readInput(body),
    response: end.response,
    modelParameters: pickParameters(body, operation.parameters),
    usage: end.usage,
    responseCostUsd: toCost(start, end, endTimeMs),
    cacheHit: end.cacheHit ?? null,
    caller: caller.attribution,
    ...(caller.keyNumbers === null ? {} : { keyBudget: toKeyBudget(caller.keyNumbers) }),
    endUser: readEndUser(body),
    requestTags: readTags(body, headers, caller),
    requesterMetadata: readMetadata(body, headers),
    requesterIpAddress: null,
    userAgent: headers.get("user-agent"),
    error: end.error,
    ...(end.attempts === undefined || end.attempts.length === 0 ? {} : { attempts: [...end.attempts] }),
  };
}

/** The record of a call whose request or answer cannot be put into one: with nothing of what they hold. */
export function toBareRecord(start: CallStart, end: CallEnd): LogRecord {
  const { model, stream } = start.body;
  const body: JsonObject = {
    ...(typeof model === "string" ? { model } : {}),
    ...(typeof stream === "boolean" ? { stream } : {}),
  };
  const operation: Operation = { ...start.operation, readInput: () => ({ messages: [] }), parameters: [] };
  return toCallRecord({ ...start, operation, body, headers: new Headers() }, { ...end, response: null });
}

function toKeyBudget({ spend, maxBudget }: KeyNumbers): NonNullable<LogRecord["keyBudget"]> {
  return { spendUsd: spend, maxBudgetUsd: maxBudget };
}

function toCost(start: CallStart, end: CallEnd, endTimeMs: number): number {
  const { usage, deployment, response, error, cacheHit, billed = error === null ? "whole" : "nothing" } = end;
  if (billed === "nothing" || cacheHit === true) return 0;
  const seconds = (endTimeMs - start.startTimeMs) / 1000;
  return costOf(usage, deployment, settleUnits(start, { response, seconds, isWhole: billed === "whole" }));
}

/** A deployment's base URL as logs and headers show it: without query and sign-in, which may hold a key. */
export function shownApiBase(deployment: Deployment | null): string | null {
  return deployment?.apiBase?.replace(/[?#].*$/s, "").replace(/^([a-z]+:\/\/)[^/]*@/i, "$1") ?? null;
}

/** The end user of the client's application: OpenAI's field, else Anthropic's. */
function readEndUser({ user, metadata }: JsonObject): string | null {
  if (typeof user === "string") return user;
  return isJsonObject(metadata) && typeof metadata.user_id === "string" ? metadata.user_id : null;
}

function pickParameters(body: JsonObject, names: readonly string[]): JsonObject {
  const picked: JsonObject = {};
  for (const name of names) {
    const value = body[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
