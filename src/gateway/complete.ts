import type { Caller } from "#keys/caller.ts";
import { commitCall, commitFailure, planCall, toJudged, type Call, type RoutedCall } from "#gateway/call.ts";
import { toCallHeaders, toFailureHeaders, type CallFacts } from "#gateway/call-headers.ts";
import { nowMs, startCall, toCallRecord } from "#gateway/call-record.ts";
import { answerStream } from "#gateway/complete-stream.ts";
import type { Operation } from "#gateway/operation.ts";
import { admitCall } from "#gateway/limits/admit-call.ts";
import type { PiecewiseAnswer, WholeAnswer } from "#gateway/attempt-call.ts";
import { failureReceipt, refuseCall, withHeaders } from "#gateway/refuse-call.ts";
import type { Deployment } from "#gateway/models.ts";
import { routeCall, type RouteOutcome } from "#gateway/route-call.ts";
import { ofErrorFrame, type CallFailure } from "#gateway/upstream-failure.ts";
import { toUsage } from "#gateway/usage.ts";
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
 * that is passed on in pieces, the last does. Throws an `AppError` in the wire's words where there is no answer.
 */
export async function complete(input: CompleteInput): Promise<Response> {
  const { operation, caller, headers, inFlight, callId, callIdIsClients, path, form = null } = input;
  const { model, body } = withModel(input);
  const start = { callId, callIdIsClients, operation, route: path, caller, body, headers };
  const call = planCall(startCall({ ...start, inFlight, signal: inFlight?.signal }));
  const outcome = await route(input.db, call, { model, form });
  if ("hit" in outcome) return replay(outcome.call, outcome.hit);
  if ("hasLeft" in outcome) return leave(outcome.call);
  if ("failure" in outcome) return fail(outcome.call, outcome.failure);
  const { attempt } = outcome;
  return attempt.kind === "whole" ? whole(outcome.call, attempt) : inPieces(outcome.call, attempt);
}

async function route(
  db: Database["db"],
  call: Call,
  { model, form }: { model: string | null; form: FormData | null },
): Promise<RouteOutcome | { call: RoutedCall; hit: CachedHit }> {
  try {
    if (model === null) throw noModel();
    assertControlsAllowed(call);
    if (hasBudget(call.start.caller)) await untilCut(holdBudget(db, call, model));
    if (call.start.caller.limits.length > 0) await untilCut(admitCall(call, model));
    const hit = form === null ? await untilCut(askCache(call, model)) : null;
    if (hit !== null) return hit;
    return await routeCall(call, model, form);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw await refuseCall(call, error);
  }
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

/** Nobody hears the answer of a client that left; the call is logged as what he cancelled. */
async function leave(call: RoutedCall): Promise<never> {
  const { start, deployment, attempts } = call;
  const record = toCallRecord(start, {
    deployment,
    response: null,
    usage: noUsage,
    error: null,
    completionStartTimeMs: null,
    clientDisconnected: true,
    attempts,
  });
  await commitCall(call, record);
  throw new AppError("bad_request", "The client left before the answer came.", { status: 499 });
}

async function fail(call: RoutedCall, { error, logged, retryAfter }: CallFailure): Promise<never> {
  const receipt = failureReceipt(call, await commitFailure(call, logged));
  const { deployment, retries, fallbacks } = call;
  const headers = {
    ...toFailureHeaders({ callId: call.start.callId, deployment, receipt, retries, fallbacks }),
    ...toKeyHeaders(call),
  };
  throw withHeaders(error, retryAfter === null ? headers : { ...headers, "retry-after": retryAfter });
}

async function whole(call: RoutedCall, { answer, bytes, response, upstreamMs }: WholeAnswer): Promise<Response> {
  const { start, deployment } = call;
  const logged = findOwnError(deployment, response);
  const record = toCallRecord(start, {
    deployment,
    response: logged === null ? response : null,
    usage: toUsage(response.usage),
    error: logged,
    completionStartTimeMs: null,
    clientDisconnected: false,
    attempts: call.attempts,
  });
  await commitCall(call, record);
  keepAnswer(call, record, { bytes, contentType: answer.headers["content-type"] });
  const receipt = toReceipt(call.plan, "queued", record);
  return new Response(new Uint8Array(bytes), {
    headers: {
      ...toCallHeaders(factsOf(call, receipt, record.responseCostUsd), answer),
      ...toOverhead(call, upstreamMs),
      ...toKeyHeaders(call),
    },
  });
}

/** What an answer says of its own failure, although its status is a success: OpenRouter's, or that of a response. */
function findOwnError(deployment: Deployment, { error, choices }: JsonObject): LogRecord["error"] {
  if (!isJsonObject(error) || choices !== undefined) return null;
  return ofErrorFrame(deployment, JSON.stringify({ error })).logged;
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
  await commitCall(call, record);
  const facts = factsOf(call, toReceipt(call.plan, "queued", record), record.responseCostUsd);
  return new Response(new Uint8Array(bytes), {
    headers: {
      ...toCallHeaders(facts, { headers: { "content-type": contentType } }),
      "x-litellm-cache-key": key,
      ...toKeyHeaders(call),
    },
  });
}

function inPieces(call: RoutedCall, attempt: PiecewiseAnswer): Response {
  const receipt = toReceipt(call.plan, "pending", toJudged(call.start, call.deployment, "success"));
  const headers = {
    ...toCallHeaders(factsOf(call, receipt, knownCost(call, attempt.answer)), attempt.answer),
    ...toOverhead(call, attempt.upstreamMs),
    ...toKeyHeaders(call),
  };
  return toPiecewiseResponse({ body: answerStream(call, attempt), headers });
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
