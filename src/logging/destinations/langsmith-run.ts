import { readLangsmithSteering, toLangsmithTime, toOwnPlace } from "#logging/destinations/langsmith-steering.ts";
import type { LangsmithSteering } from "#logging/destinations/langsmith-steering.ts";
import type { Telling } from "#logging/destinations/send-in-parts.ts";
import { shrinkJson } from "#logging/destinations/shrink-json.ts";
import { toStandardLoggingPayload } from "#logging/destinations/standard-logging-payload.ts";
import { isBrokenOff, isJsonObject, type JsonObject, type LogRecord } from "#logging/record.ts";

/** What shapes a run beside its record. */
export type LangsmithRunOptions = { callbackId: string; project: string; telling: Telling };

/** LangSmith takes 20 MB a request; a run holds the payload, and the answer once more. */
const partBytesMax = 3 * 1024 * 1024;
const briefPartBytesMax = 64 * 1024;
const metadataBytesMax = 256 * 1024;

/**
 * A record as a run of LangSmith's batch, with LiteLLM's fields: the StandardLoggingPayload as inputs, the answer as
 * outputs. Two calls with one record give the same run. Times are ISO texts, because LangSmith reads a bare number as
 * milliseconds or as seconds, depending on the path.
 */
export function toLangsmithRun(record: LogRecord, options: LangsmithRunOptions): JsonObject & { id: string } {
  const { callbackId, telling } = options;
  const bytesMax = telling === "brief" ? briefPartBytesMax : partBytesMax;
  const payload = toStandardLoggingPayload(record);
  const steering = telling === "full" ? readLangsmithSteering(record, callbackId) : null;
  const place = steering?.place ?? toOwnPlace(record, callbackId);
  const sessionId = steering?.sessionId ?? null;
  return {
    id: place.id,
    trace_id: place.traceId,
    dotted_order: place.dottedOrder,
    ...(place.parentRunId === null ? {} : { parent_run_id: place.parentRunId }),
    name: steering?.name ?? "LLMRun",
    run_type: "llm",
    inputs: shrinkJson(payload, bytesMax),
    outputs: toOutputs(record, bytesMax),
    session_name: steering?.project ?? options.project,
    ...(sessionId === null ? {} : { session_id: sessionId }),
    start_time: toLangsmithTime(record.startTimeMs),
    end_time: toLangsmithTime(record.endTimeMs),
    tags: record.requestTags,
    extra: { metadata: shrinkJson(toMetadata(record, payload), Math.min(bytesMax, metadataBytesMax)) },
    ...(record.status === "failure" ? { error: toErrorText(record, bytesMax) } : {}),
    ...(record.stream && record.status === "success" ? { events: [firstToken(record)] } : {}),
  };
}

/** True where the client's metadata changes the run. */
export function isSteeredRun(record: LogRecord, callbackId: string): boolean {
  const { place, name, project, sessionId } = readLangsmithSteering(record, callbackId);
  return hasOwnPlace(place, record, callbackId) ? [name, project, sessionId].some((text) => text !== null) : true;
}

/** True where the client chose the run's id, so that LangSmith may know it from another call. */
export function hasChosenId(record: LogRecord, callbackId: string): boolean {
  return readLangsmithSteering(record, callbackId).place.id !== toOwnPlace(record, callbackId).id;
}

function hasOwnPlace(place: LangsmithSteering["place"], record: LogRecord, callbackId: string): boolean {
  return place.dottedOrder === toOwnPlace(record, callbackId).dottedOrder;
}

/** LangSmith reads a run's tokens and cost from `usage_metadata` of the outputs. */
function toOutputs(record: LogRecord, bytesMax: number): JsonObject {
  if (record.status === "failure" && !isBrokenOff(record)) return {};
  const { promptTokens, completionTokens, totalTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens } =
    record.usage;
  return {
    ...shrinkJson(record.response ?? {}, bytesMax),
    usage_metadata: {
      input_tokens: promptTokens,
      output_tokens: completionTokens,
      total_tokens: totalTokens,
      total_cost: record.responseCostUsd,
      input_token_details: { cache_read: cacheReadTokens, cache_creation: cacheWriteTokens },
      output_token_details: { reasoning: reasoningTokens },
    },
  };
}

/** The client's own keys first, then what the gateway knows, which a client cannot overwrite. */
function toMetadata(record: LogRecord, payload: JsonObject): JsonObject {
  const metadata = payload["metadata"];
  return {
    ...record.requesterMetadata,
    ...(isJsonObject(metadata) ? metadata : {}),
    ls_provider: record.provider,
    ls_model_name: record.model,
    ls_model_type: "chat",
    record_id: record.recordId,
    litellm_call_id: record.callId,
    ...(record.clientDisconnected ? { client_disconnected: true } : {}),
    ...(record.usage.isEstimated === true ? { usage_estimated: true } : {}),
  };
}

function toErrorText(record: LogRecord, bytesMax: number): string {
  const { class: name, code, message } = record.error ?? { class: "Error", code: "", message: "" };
  return `${name}${code === "" ? "" : ` (${code})`}: ${message}`.slice(0, Math.floor(bytesMax / 8));
}

function firstToken(record: LogRecord): JsonObject {
  return { name: "new_token", time: toLangsmithTime(record.completionStartTimeMs) };
}
