import type { Caller } from "#keys/caller.ts";
import { commitCall, commitFailure, planCall, toJudged, type Call, type RoutedCall } from "#gateway/call.ts";
import { toCallHeaders, toFailureHeaders } from "#gateway/call-headers.ts";
import { startCall, toCallRecord } from "#gateway/call-record.ts";
import { answerStream } from "#gateway/complete-stream.ts";
import { chooseDeployment } from "#gateway/choose-deployment.ts";
import type { Deployment } from "#gateway/models.ts";
import type { Operation } from "#gateway/operation.ts";
import { findProvider } from "#gateway/providers/index.ts";
import type { ProviderAnswer } from "#gateway/providers/provider.ts";
import type { StreamCopy } from "#gateway/stream-copy.ts";
import { toUpstreamBody } from "#gateway/upstream-body.ts";
import { ofRefusal, ofStatus, ofThrown, type CallFailure } from "#gateway/upstream-failure.ts";
import { toUsage } from "#gateway/usage.ts";
import { configState } from "#lib/config.ts";
import { AppError, UpstreamError } from "#lib/errors.ts";
import { readBody } from "#lib/fetch-upstream.ts";
import { version } from "#lib/version.ts";
import { toReceipt } from "#logging/log-call.ts";
import { isJsonObject, type JsonObject } from "#logging/record.ts";

/** One call of a model, as the door hands it over. */
export type CompleteInput = {
  operation: Operation;
  caller: Caller;
  body: JsonObject;
  /** The form that the body was read from. */
  form?: FormData;
  headers: Headers;
  callId: string;
  callIdIsClients: boolean;
  path: string;
  /** The model that the path names. */
  pathModel?: string | undefined;
};

const answerBytesMax = 64 * 1024 * 1024;
const errorBytesMax = 64 * 1024;

/**
 * Answers one call and logs it once, whatever its outcome. A whole answer leaves after its record is committed; of one
 * that is passed on in pieces, the last does. Throws an `AppError` in the wire's words where there is no answer.
 */
export async function complete(input: CompleteInput): Promise<Response> {
  const { operation, caller, headers, callId, callIdIsClients, path, form = null } = input;
  const { model, body } = withModel(input);
  const call = planCall(startCall({ callId, callIdIsClients, operation, route: path, caller, body, headers }));
  const routed = { ...call, deployment: await chooseFor(call, model) };
  const answer = await send(routed, form);
  const copy = operation.makeCopy({
    isStream: body.stream === true,
    hideUsage: operation.asksForUsage === true && !includesUsage(body),
    contentType: answer.headers["content-type"] ?? "",
  });
  return copy === null ? whole(routed, answer) : inPieces(routed, answer, copy);
}

/** The model that is asked for: the operator's for all such calls, else the path's, else the body's. */
function withModel({ operation, body, pathModel }: CompleteInput): { model: string; body: JsonObject } {
  const { modelSetting, defaultModel } = operation;
  const set = modelSetting === undefined ? undefined : configState.get().general_settings[modelSetting];
  const own = typeof body.model === "string" ? body.model : undefined;
  const model = set ?? pathModel ?? own ?? defaultModel;
  if (model === undefined) {
    throw new AppError("bad_request", "model: a model is required", { type: "invalid_request_error", param: "model" });
  }
  return { model, body: model === own ? body : { ...body, model } };
}

function includesUsage({ stream_options: options }: JsonObject): boolean {
  return isJsonObject(options) && options.include_usage === true;
}

async function chooseFor(call: Call, model: string): Promise<Deployment> {
  try {
    const deployment = chooseDeployment(call.start.caller, model);
    assertTakes(deployment, call.start.operation);
    return deployment;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const refused = { ...call, deployment: null };
    const isKept = await commitFailure(refused, ofRefusal(error));
    throw withHeaders(error, { "x-litellm-version": version, "x-sluice-log": failureReceipt(refused, isKept) });
  }
}

function assertTakes({ provider, modelName }: Deployment, { name, path }: Operation): void {
  if (findProvider(provider)?.takes({ name }) === true) return;
  throw new AppError("bad_request", `The model ${modelName} (${provider}) cannot answer ${path}.`, {
    type: "invalid_request_error",
    param: "model",
  });
}

/** The upstream's answer with a good status; anything else is logged and thrown. */
async function send(call: RoutedCall, form: FormData | null): Promise<ProviderAnswer> {
  const { start, deployment } = call;
  const { operation, headers } = start;
  const isStream = start.body.stream === true;
  const body = toUpstreamBody(start.body, {
    model: deployment.upstreamModel,
    defaults: deployment.defaults,
    forwardsMetadata: operation.forwardsMetadata === true,
  });
  // The log needs the usage of a stream also where the client did not ask for it.
  if (isStream && operation.asksForUsage === true)
    body.stream_options = { ...(isJsonObject(body.stream_options) ? body.stream_options : {}), include_usage: true };
  const timeoutMs = isStream ? deployment.streamTimeoutMs : deployment.timeoutMs;
  let answer: ProviderAnswer;
  try {
    const provider = findProvider(deployment.provider);
    if (!provider) throw new Error(`There is no provider ${deployment.provider}.`);
    answer = await provider.send({ deployment, operation, body, form, headers, timeoutMs });
  } catch (thrown) {
    if (!(thrown instanceof UpstreamError)) throw thrown;
    return fail(call, ofThrown(deployment, thrown));
  }
  if (answer.status >= 200 && answer.status < 300) return answer;
  const text = await readBody(answer, errorBytesMax).then(String, () => "");
  const retryAfter = answer.headers["retry-after"] ?? null;
  return fail(call, ofStatus(deployment, { status: answer.status, text, retryAfter }));
}

async function fail(call: RoutedCall, { error, logged, retryAfter }: CallFailure): Promise<never> {
  const receipt = failureReceipt(call, await commitFailure(call, logged));
  const headers = toFailureHeaders({ callId: call.start.callId, deployment: call.deployment, receipt });
  throw withHeaders(error, retryAfter === null ? headers : { ...headers, "retry-after": retryAfter });
}

/** A record that was lost has no receipt. */
function failureReceipt(
  { plan, start, deployment }: Call & { deployment: Deployment | null },
  isKept: boolean,
): string {
  return isKept ? toReceipt(plan, "queued", toJudged(start, deployment, "failure")) : "none";
}

function withHeaders(error: AppError, headers: Record<string, string>): AppError {
  const { code, message, status, type, param, cause } = error;
  return new AppError(code, message, { status, type, ...(param === null ? {} : { param }), headers, cause });
}

async function whole(call: RoutedCall, answer: ProviderAnswer): Promise<Response> {
  const { start, deployment } = call;
  let bytes: Buffer;
  let response: JsonObject;
  try {
    bytes = await readBody(answer, answerBytesMax);
    response = start.operation.readAnswer(bytes, answer.headers["content-type"] ?? "");
  } catch (thrown) {
    return fail(call, ofThrown(deployment, thrown));
  }
  const record = toCallRecord(start, {
    deployment,
    response,
    usage: toUsage(response.usage),
    error: null,
    completionStartTimeMs: null,
    clientDisconnected: false,
  });
  await commitCall(call, record);
  const receipt = toReceipt(call.plan, "queued", record);
  const facts = {
    callId: start.callId,
    deployment,
    receipt,
    costUsd: record.responseCostUsd,
    startTimeMs: start.startTimeMs,
  };
  return new Response(new Uint8Array(bytes), { headers: toCallHeaders(facts, answer) });
}

async function inPieces(call: RoutedCall, answer: ProviderAnswer, copy: StreamCopy): Promise<Response> {
  const { start, deployment } = call;
  const body = await answerStream(call, answer, copy).catch((thrown: unknown) =>
    fail(call, ofThrown(deployment, thrown)),
  );
  const receipt = toReceipt(call.plan, "pending", toJudged(start, deployment, "success"));
  const facts = { callId: start.callId, deployment, receipt, costUsd: null, startTimeMs: start.startTimeMs };
  return new Response(body, { headers: toCallHeaders(facts, answer) });
}
