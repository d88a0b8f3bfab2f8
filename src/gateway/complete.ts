import type { Caller } from "#keys/caller.ts";
import { commitCall, commitFailure, planCall, toJudged, type Call, type RoutedCall } from "#gateway/call.ts";
import { toCallHeaders, toFailureHeaders, toSendable, type CallFacts } from "#gateway/call-headers.ts";
import { nowMs, startCall, toCallRecord } from "#gateway/call-record.ts";
import { answerStream } from "#gateway/complete-stream.ts";
import type { Operation } from "#gateway/operation.ts";
import { admitCall } from "#gateway/limits/admit-call.ts";
import type { PiecewiseAnswer, WholeAnswer } from "#gateway/attempt-call.ts";
import { failureReceipt, refuseCall, toRefusal, withHeaders } from "#gateway/refuse-call.ts";
import type { Deployment } from "#gateway/models.ts";
import { assertMetadataReadable } from "#gateway/request-metadata.ts";
import { routeCall } from "#gateway/route-call.ts";
import { ofErrorFrame, type CallFailure } from "#gateway/upstream-failure.ts";
import { noAnswer, settleUsage } from "#gateway/settle-usage.ts";
import { assertControlsAllowed } from "#gateway/cache/plan-cache.ts";
import { askCache, keepAnswer, type CachedHit } from "#gateway/cache/use-cache.ts";
import { toKeyHeaders } from "#gateway/key-headers.ts";
import { knownCost } from "#gateway/known-cost.ts";
import { hasBudget, holdBudget } from "#gateway/spend/hold-budget.ts";
import type { Database } from "#lib/db.ts";
import { configState } from "#lib/config.ts";
import { AppError } from "#lib/errors.ts";
import { toPiecewiseResponse } from "#lib/piecewise-response.ts";
import { untilCut, type CallInFlight } from "#logging/calls-in-flight.ts";
import { toReceipt } from "#logging/log-call.ts";
import { isJsonObject, noUsage, type JsonObject, type LogRecord } from "#logging/record.ts";

/** One call of a model, as the door hands it over. */
export type CompleteInput = {
  db: Database["db"];
  operation: Operation;
  caller: Caller;
  body: JsonObject;
  /** The form that the body was read from. */
  form?: FormData;
  headers: Headers;
  /** The call as the stop of the gateway knows it; absent if it does not. */
  inFlight?: CallInFlight | undefined;
  callId: string;
  callIdIsClients: boolean;
  path: string;
  /** The model that the path names. */
  pathModel?: string | undefined;
};

/**
 * Answers one call and logs it once, whatever its outcome. A whole answer leaves after its record is committed; of one
 * that is passed on in pieces, the last does. Throws an `AppError` in the wire's words if there is no answer. Everything
 * that the call took is given back here, or at the end of its stream.
 */
export async function complete(input: CompleteInput): Promise<Response> {
  const { operation, caller, headers, inFlight, callId, callIdIsClients, path } = input;
  const { model, body } = withModel(input);
  const start = { callId, callIdIsClients, operation, route: path, caller, body, headers };
  const call = planCall(startCall({ ...start, inFlight, signal: inFlight?.signal }));
  try {
    return await answer(input, call, model);
  } catch (error) {
    if (call.ledger.isRecorded()) throw error;
    throw await refuseCall(call, toRefusal(call, error));
  } finally {
    if (!call.ledger.isHandedOver()) call.ledger.close();
  }
}

async function answer(input: CompleteInput, call: Call, model: string | null): Promise<Response> {
  const { db, form = null } = input;
  if (model === null) throw noModel();
  assertMetadataReadable(call.start.body, call.start.headers);
  assertControlsAllowed(call);
  if (hasBudget(call.start.caller)) await untilCut(holdBudget(db, call, model));
  if (call.start.caller.limits.length > 0) await untilCut(admitCall(call, model));
  const kept = form === null ? await untilCut(askCache(call, model)) : null;
  if (kept !== null) return replay(kept.call, kept.hit);
  const outcome = await routeCall(call, model, form);
  if ("hasLeft" in outcome) return leave(outcome.call, outcome.wasCalled);
  if ("failure" in outcome) return fail(outcome.call, outcome.failure);
  const { attempt } = outcome;
  return attempt.kind === "whole" ? whole(outcome.call, attempt) : inPieces(outcome.call, attempt);
}

/** The model that is asked for: the operator's for all such calls, else the path's, else the body's; null: none is. */
function withModel({ operation, body, pathModel }: CompleteInput): { model: string | null; body: JsonObject } {
  const { modelSetting, defaultModel } = operation;
  const set = modelSetting === undefined ? undefined : configState.get().general_settings[modelSetting];
  const own = typeof body.model === "string" ? body.model : undefined;
  const model = set ?? pathModel ?? own ?? defaultModel ?? null;
  return { model, body: model === null || model === own ? body : { ...body, model } };
}

function noModel(): AppError {
  return new AppError("bad_request", "model: a model is required", { type: "invalid_request_error", param: "model" });
}

/** Nobody hears the answer of a client that left. The call is logged as cancelled, and costs what the upstream began. */
async function leave(call: RoutedCall, wasCalled: boolean): Promise<never> {
  const { start, deployment, attempts } = call;
  const record = toCallRecord(start, {
    deployment,
    response: null,
    usage: wasCalled ? settleUsage(start, noAnswer) : noUsage,
    billed: wasCalled ? "cut" : "nothing",
    error: null,
    completionStartTimeMs: null,
    clientDisconnected: true,
    attempts,
  });
  await commitCall(call, record);
  throw new AppError("bad_request", "The client left before the answer came.", { status: 499 });
}

async function fail(call: RoutedCall, failure: CallFailure): Promise<never> {
  const { error, logged, retryAfter, wasBegun = false } = failure;
  const { deployment, retries, fallbacks, start } = call;
  const begun = wasBegun ? { usage: settleUsage(start, noAnswer), billed: "cut" as const } : {};
  const receipt = failureReceipt(call, await commitFailure(call, logged, begun));
  const headers = toSendable({
    ...toFailureHeaders({ callId: start.callId, deployment, receipt, retries, fallbacks }),
    ...toKeyHeaders(call),
  });
  throw withHeaders(error, retryAfter === null ? headers : { ...headers, "retry-after": retryAfter });
}

async function whole(call: RoutedCall, { answer, bytes, response, upstreamMs }: WholeAnswer): Promise<Response> {
  const { start, deployment, attempts } = call;
  const logged = findOwnError(deployment, response);
  const isWhole = logged === null;
  const counted = settleUsage(start, { response, usage: response.usage, isWhole, isUsageFinal: true });
  const usage = isWhole ? counted : { ...counted, isEstimated: true as const };
  const billed = isWhole ? "whole" : "cut";
  const seen = { deployment, usage, billed, completionStartTimeMs: null, attempts } as const;
  call.ledger.see(seen);
  const record = toCallRecord(start, {
    ...seen,
    response: isWhole || hasAnswer(response) ? response : null,
    error: logged,
    clientDisconnected: false,
  });
  const receipt = toReceipt(call.plan, "queued", record);
  // Before the commit: a call whose headers cannot be made is no success.
  const facts = factsOf(call, receipt, record.responseCostUsd);
  const headers = toSendable({ ...toCallHeaders(facts, answer), ...toKeyHeaders(call) });
  await commitCall(call, record);
  keepAnswer(call, record, { bytes, contentType: answer.headers["content-type"] });
  return new Response(new Uint8Array(bytes), { headers: { ...headers, ...toOverhead(call, upstreamMs) } });
}

/** What an answer says of its own failure, although its status is a success: OpenRouter's, or that of a response. */
function findOwnError(deployment: Deployment, { error, choices }: JsonObject): LogRecord["error"] {
  const ofChoices = Array.isArray(choices) ? choices.map((choice) => (isJsonObject(choice) ? choice.error : null)) : [];
  const said = [error, ...ofChoices].find(isJsonObject);
  return said === undefined ? null : ofErrorFrame(deployment, JSON.stringify({ error: said })).logged;
}

/** True if a failed answer holds a part of what was asked for. */
function hasAnswer(response: JsonObject): boolean {
  return [response.choices, response.output, response.content].some((part) => Array.isArray(part) && part.length > 0);
}

/** An answer that was kept, logged as what it is. */
async function replay(call: RoutedCall, { key, contentType, bytes, response, usage }: CachedHit): Promise<Response> {
  const record = toCallRecord(call.start, {
    deployment: call.deployment,
    response,
    usage,
    error: null,
    completionStartTimeMs: null,
    clientDisconnected: false,
    cacheHit: true,
  });
  const facts = factsOf(call, toReceipt(call.plan, "queued", record), record.responseCostUsd);
  const headers = toSendable({
    ...toCallHeaders(facts, { headers: { "content-type": contentType } }),
    "x-litellm-cache-key": key,
    ...toKeyHeaders(call),
  });
  await commitCall(call, record);
  return new Response(new Uint8Array(bytes), { headers });
}

function inPieces(call: RoutedCall, attempt: PiecewiseAnswer): Response {
  try {
    const receipt = toReceipt(call.plan, "pending", toJudged(call.start, call.deployment, "success"));
    const headers = toSendable({
      ...toCallHeaders(factsOf(call, receipt, knownCost(call, attempt.answer)), attempt.answer),
      ...toOverhead(call, attempt.upstreamMs),
      ...toKeyHeaders(call),
    });
    const response = toPiecewiseResponse({ body: answerStream(call, attempt), headers });
    call.ledger.handOver();
    return response;
  } catch (error) {
    attempt.source.destroy();
    throw error;
  }
}

/** What of the call's time was not the upstream's. */
function toOverhead({ start }: RoutedCall, upstreamMs: number): Record<string, string> {
  const ms = Math.max(0, nowMs() - start.startTimeMs - upstreamMs);
  return { "x-litellm-overhead-duration-ms": ms.toFixed(2) };
}

function factsOf(call: RoutedCall, receipt: string, costUsd: number | null): CallFacts {
  const { start, deployment, retries, fallbacks } = call;
  const { callId, startTimeMs } = start;
  return { callId, deployment, receipt, costUsd, startTimeMs, retries, fallbacks };
}
