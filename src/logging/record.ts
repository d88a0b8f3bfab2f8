/**
 * The typed record of one call: the single thing that every destination is fed from. It is built field by field from
 * an allow-list; nothing reaches a destination by copying the request, its headers or the caller.
 */

/** Any JSON value. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** Any JSON object. */
export type JsonObject = { [name: string]: Json };

/** What the client asked for. Content: redaction replaces it. */
export type RecordInput = {
  /** Chat messages, or the prompt of other call types wrapped as one user message. */
  messages: Json;
  tools?: Json;
  functions?: Json;
};

/** Token counts as the upstream reported them, or as we estimated them; 0 if nobody knows. */
export type RecordUsage = {
  /** All input tokens, the cached ones included. */
  promptTokens: number;
  /** All output tokens, reasoning included. */
  completionTokens: number;
  totalTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  reasoningTokens: number;
  /** Parts of the input and the output that are sound or pictures; absent where the upstream names none. */
  inputAudioTokens?: number;
  outputAudioTokens?: number;
  inputImageTokens?: number;
  outputImageTokens?: number;
  /** True if the upstream's own counts are missing or cover a part only. Destinations call it `usage_estimated`. */
  isEstimated?: true | undefined;
};

/** What went wrong. `message` is content (upstreams quote prompts); code and class are not. */
export type RecordError = {
  /** The HTTP status or the code of the error, as text. */
  code: string;
  /** LiteLLM's class name, for example `AuthenticationError`. */
  class: string;
  message: string;
};

/** An attempt that failed before another one was made for the same call. */
export type RecordAttempt = {
  modelGroup: string;
  model: string;
  modelId: string;
  provider: string;
  apiBase: string | null;
  startTimeMs: number;
  endTimeMs: number;
  error: RecordError;
};

/** Whose call it was. The hash is the SHA-256 of the virtual key; null for the master key's calls. */
export type RecordCaller = {
  keyHash: string | null;
  keyAlias: string | null;
  userId: string | null;
  userEmail: string | null;
  teamId: string | null;
  teamAlias: string | null;
  organizationId: string | null;
};

/** One call, whatever its outcome. Times are epoch milliseconds with a fraction. */
export type LogRecord = {
  /** UUIDv7, made at the start of the call. Everything that a destination calls an id derives from it. */
  recordId: string;
  /** The `x-litellm-call-id` of the answer. The client may choose it, so it is an attribute, no identity. */
  callId: string;
  /** True where the client chose `callId`. */
  callIdIsClients?: boolean;
  /** The `id` of the upstream's answer, if there was one. */
  responseId: string | null;
  /** LiteLLM's name of the operation: `acompletion`, `atext_completion`, `aembedding`, … */
  callType: string;
  /** The path that was called, for example `/v1/chat/completions`. */
  route: string;
  status: "success" | "failure";
  /** True where the client left before the answer was complete; `output` is then what had arrived. */
  clientDisconnected: boolean;
  stream: boolean;
  startTimeMs: number;
  /** First streamed chunk; equals `endTimeMs` where the call was not streamed. */
  completionStartTimeMs: number;
  endTimeMs: number;
  /** `openai`, `anthropic`, …; null where the call failed before a deployment was chosen. */
  provider: string | null;
  /** The model name sent upstream, or what the client asked for where none was chosen. */
  model: string;
  /** The public name the client asked for. */
  modelGroup: string | null;
  /** The id of the chosen deployment. */
  modelId: string | null;
  /** The upstream's base URL without query; null where none was chosen. */
  apiBase: string | null;
  input: RecordInput;
  /** The upstream's answer (a stream: re-assembled in the same shape). On failure what came of it, null if nothing did. */
  response: JsonObject | null;
  /** Allow-listed request parameters (temperature, max_tokens, …); no messages, tools or secrets. */
  modelParameters: JsonObject;
  usage: RecordUsage;
  /** USD; 0 if the upstream did nothing or no price is known. */
  responseCostUsd: number;
  cacheHit: boolean | null;
  caller: RecordCaller;
  /** What the key had spent when it was read for this call, and what it may; redaction of content takes it away. */
  keyBudget?: { spendUsd: number; maxBudgetUsd: number | null };
  /** The end user of the client's application (body field `user`). */
  endUser: string | null;
  requestTags: string[];
  /** The client's own `metadata` with the `langfuse_*` headers merged over it, cleaned of reserved names. */
  requesterMetadata: JsonObject;
  requesterIpAddress: string | null;
  userAgent: string | null;
  error: RecordError | null;
  /** The attempts that failed before the last one, in order; absent where there was one alone. */
  attempts?: RecordAttempt[];
};

/** A record with no tokens counted. */
export const noUsage: RecordUsage = {
  promptTokens: 0,
  completionTokens: 0,
  totalTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
};

/** True if a call failed after its upstream had begun to work: it has a part of an answer, and an estimated cost. */
export function isBrokenOff({ status, usage }: LogRecord): boolean {
  return status === "failure" && usage.isEstimated === true;
}

/** True for a JSON object: no array, no null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
