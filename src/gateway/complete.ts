import type { Caller } from "#keys/caller.ts";
import { commitCall, commitFailure, planCall, toJudged, type Call, type RoutedCall } from "#gateway/call.ts";
import { toCallHeaders, toFailureHeaders } from "#gateway/call-headers.ts";
import { startCall, toCallRecord, toUsage } from "#gateway/call-record.ts";
import { toUpstreamBody, type ChatRequest } from "#gateway/chat-request.ts";
import { chooseDeployment } from "#gateway/choose-deployment.ts";
import type { Deployment } from "#gateway/models.ts";
import { findProvider } from "#gateway/providers/index.ts";
import type { ProviderAnswer } from "#gateway/providers/provider.ts";
import { answerStream } from "#gateway/complete-stream.ts";
import { ofRefusal, ofStatus, ofThrown, type CallFailure } from "#gateway/upstream-failure.ts";
import { AppError, UpstreamError } from "#lib/errors.ts";
import { readBody } from "#lib/fetch-upstream.ts";
import { version } from "#lib/version.ts";
import { toReceipt } from "#logging/log-call.ts";
import { isJsonObject, type JsonObject } from "#logging/record.ts";

/** One call of a model, as the door hands it over. */
export type CompleteInput = {
  caller: Caller;
  body: ChatRequest;
  headers: Headers;
  callId: string;
  callIdIsClients: boolean;
  path: string;
};

const answerBytesMax = 64 * 1024 * 1024;
const errorBytesMax = 64 * 1024;

/**
 * Answers a chat completion and logs it once, whatever its outcome. A plain answer leaves after its record is committed,
 * a stream's last frame does. Throws an `AppError` in the wire's words where there is no answer to pass on.
 */
export async function complete({ body, path, ...input }: CompleteInput): Promise<Response> {
  const call = planCall(startCall({ ...input, callType: "acompletion", route: path, body }));
  const routed = { ...call, deployment: await chooseFor(call, body.model) };
  const answer = await send(routed);
  return body.stream === true ? streamed(routed, answer) : plain(routed, answer);
}

async function chooseFor(call: Call, model: string): Promise<Deployment> {
  try {
    return chooseDeployment(call.start.caller, model);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const refused = { ...call, deployment: null };
    const isKept = await commitFailure(refused, ofRefusal(error));
    throw withHeaders(error, { "x-litellm-version": version, "x-sluice-log": failureReceipt(refused, isKept) });
  }
}

/** The upstream's answer with a good status; anything else is logged and thrown. */
async function send(call: RoutedCall): Promise<ProviderAnswer> {
  const { start, deployment } = call;
  const isStream = start.body.stream === true;
  const body = toUpstreamBody(start.body, { model: deployment.upstreamModel, defaults: deployment.defaults });
  // The log needs the usage of a stream also where the client did not ask for it.
  if (isStream)
    body.stream_options = { ...(isJsonObject(body.stream_options) ? body.stream_options : {}), include_usage: true };
  const timeoutMs = isStream ? deployment.streamTimeoutMs : deployment.timeoutMs;
  let answer: ProviderAnswer;
  try {
    const provider = findProvider(deployment.provider);
    if (!provider) throw new Error(`There is no provider ${deployment.provider}.`);
    answer = await provider.send({ deployment, path: "/chat/completions", body, timeoutMs });
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

async function plain(call: RoutedCall, answer: ProviderAnswer): Promise<Response> {
  const { start, deployment } = call;
  let bytes: Buffer;
  let response: JsonObject;
  try {
    bytes = await readBody(answer, answerBytesMax);
    response = parseAnswer(bytes);
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

async function streamed(call: RoutedCall, answer: ProviderAnswer): Promise<Response> {
  const { start, deployment } = call;
  const body = await answerStream(call, answer).catch((thrown: unknown) => fail(call, ofThrown(deployment, thrown)));
  const receipt = toReceipt(call.plan, "pending", toJudged(start, deployment, "success"));
  const facts = { callId: start.callId, deployment, receipt, costUsd: null, startTimeMs: start.startTimeMs };
  return new Response(body, { headers: toCallHeaders(facts, answer) });
}

function parseAnswer(bytes: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    if (isJsonObject(value)) return value;
  } catch (cause) {
    throw new UpstreamError(0, "The upstream's answer is not valid JSON.", { cause });
  }
  throw new UpstreamError(0, "The upstream's answer is not a JSON object.");
}
