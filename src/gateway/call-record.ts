import type { Caller } from "#keys/caller.ts";
import type { Deployment } from "#gateway/models.ts";
import { readMetadata, readTags } from "#gateway/request-metadata.ts";
import {
  isJsonObject,
  noUsage,
  type Json,
  type JsonObject,
  type LogRecord,
  type RecordUsage,
} from "#logging/record.ts";
import { newRecordId } from "#lib/id.ts";

/** What is known of a call when it starts. */
export type CallStart = {
  recordId: string;
  callId: string;
  callIdIsClients: boolean;
  callType: string;
  route: string;
  caller: Caller;
  body: JsonObject;
  headers: Headers;
  startTimeMs: number;
};

/** What became of a call. */
export type CallEnd = {
  deployment: Deployment | null;
  response: JsonObject | null;
  usage: RecordUsage;
  error: LogRecord["error"];
  completionStartTimeMs: number | null;
  clientDisconnected: boolean;
};

/** Parameters of a chat request that a log shows. Messages, tools and everything unknown stay out. */
const shownParameters = [
  "temperature",
  "top_p",
  "n",
  "stream",
  "stream_options",
  "stop",
  "max_tokens",
  "max_completion_tokens",
  "presence_penalty",
  "frequency_penalty",
  "logit_bias",
  "response_format",
  "seed",
  "tool_choice",
  "logprobs",
  "top_logprobs",
  "parallel_tool_calls",
  "service_tier",
  "reasoning_effort",
  "modalities",
  "verbosity",
  "store",
] as const;

/** Starts the clock and the identity of a call. A call id that the client did not choose is the record id. */
export function startCall(
  start: Pick<CallStart, "callId" | "callIdIsClients" | "callType" | "route" | "caller" | "body" | "headers">,
): CallStart {
  return { ...start, recordId: start.callIdIsClients ? newRecordId() : start.callId, startTimeMs: nowMs() };
}

/** Epoch milliseconds with a fraction. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Puts a call's record together, field by field. */
export function toCallRecord(start: CallStart, end: CallEnd): LogRecord {
  const { body, caller, headers } = start;
  const endTimeMs = nowMs();
  const { deployment } = end;
  const model = typeof body.model === "string" ? body.model : "";
  return {
    recordId: start.recordId,
    callId: start.callId,
    ...(start.callIdIsClients ? { callIdIsClients: true } : {}),
    responseId: typeof end.response?.id === "string" ? end.response.id : null,
    callType: start.callType,
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
    input: {
      messages: body.messages ?? [],
      ...(body.tools === undefined ? {} : { tools: body.tools }),
      ...(body.functions === undefined ? {} : { functions: body.functions }),
    },
    response: end.response,
    modelParameters: pickParameters(body),
    usage: end.usage,
    responseCostUsd: end.error === null ? costOf(end.usage, deployment) : 0,
    cacheHit: null,
    caller: caller.attribution,
    endUser: typeof body.user === "string" ? body.user : null,
    requestTags: readTags(body, headers, caller),
    requesterMetadata: readMetadata(body, headers),
    requesterIpAddress: null,
    userAgent: headers.get("user-agent"),
    error: end.error,
  };
}

/** A deployment's base URL as logs and headers show it: without query and sign-in, which may hold a key. */
export function shownApiBase(deployment: Deployment | null): string | null {
  return deployment?.apiBase?.replace(/[?#].*$/s, "").replace(/^([a-z]+:\/\/)[^/]*@/i, "$1") ?? null;
}

/** What a call costs by the prices that config.yaml gives its deployment; 0 where it gives none. */
export function costOf(usage: RecordUsage, deployment: Deployment | null): number {
  if (!deployment) return 0;
  return usage.promptTokens * deployment.inputCostPerToken + usage.completionTokens * deployment.outputCostPerToken;
}

/** OpenAI's usage object as counts; whatever is missing or no number is 0. */
export function toUsage(usage: Json | undefined): RecordUsage {
  if (!isJsonObject(usage)) return noUsage;
  const prompt = isJsonObject(usage.prompt_tokens_details) ? usage.prompt_tokens_details : {};
  const completion = isJsonObject(usage.completion_tokens_details) ? usage.completion_tokens_details : {};
  const promptTokens = count(usage.prompt_tokens);
  const completionTokens = count(usage.completion_tokens);
  return {
    promptTokens,
    completionTokens,
    totalTokens: count(usage.total_tokens) || promptTokens + completionTokens,
    cacheReadTokens: count(prompt.cached_tokens),
    cacheWriteTokens: count(prompt.cache_write_tokens),
    reasoningTokens: count(completion.reasoning_tokens),
  };
}

function count(value: Json | undefined): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? Math.floor(value) : 0;
}

function pickParameters(body: JsonObject): JsonObject {
  const picked: JsonObject = {};
  for (const name of shownParameters) {
    const value = body[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
