import type { Json, JsonObject, LogRecord, RecordAttempt } from "#logging/record.ts";

/**
 * LiteLLM's StandardLoggingPayload of a record: every field that its sinks and readers know, times in epoch seconds,
 * and our own `record_id` and `client_disconnected` beside them. Two calls with one record give the same object.
 */
export function toStandardLoggingPayload(record: LogRecord): JsonObject {
  const failed = record.status === "failure";
  const apiBase = (record.apiBase ?? "").replace(/\/$/, "");
  const usageObject = toUsageObject(record);
  return {
    record_id: record.recordId,
    client_disconnected: record.clientDisconnected,
    ...estimateMark(record),
    id: toPayloadId(record),
    trace_id: toPayloadTraceId(record),
    call_id: record.callId,
    litellm_call_id: record.callId,
    call_type: record.callType,
    stream: record.stream && !failed ? true : null,
    response_cost: record.responseCostUsd,
    cost_breakdown: null,
    response_cost_failure_debug_info: null,
    status: record.status,
    status_fields: { llm_api_status: record.status, guardrail_status: "not_run" },
    custom_llm_provider: record.provider,
    total_tokens: record.usage.totalTokens,
    prompt_tokens: record.usage.promptTokens,
    completion_tokens: record.usage.completionTokens,
    startTime: toSeconds(record.startTimeMs),
    endTime: toSeconds(record.endTimeMs),
    completionStartTime: toSeconds(record.completionStartTimeMs),
    response_time: toSeconds((record.stream ? record.completionStartTimeMs : record.endTimeMs) - record.startTimeMs),
    model_map_information: { model_map_key: record.model, model_map_value: null },
    model: record.model,
    model_id: record.modelId ?? "",
    model_group: record.modelGroup ?? "",
    api_base: apiBase,
    metadata: toPayloadMetadata(record, usageObject),
    cache_hit: record.cacheHit,
    cache_key: null,
    saved_cache_cost: 0,
    request_tags: record.requestTags,
    end_user: record.endUser ?? "",
    requester_ip_address: record.requesterIpAddress,
    user_agent: record.userAgent,
    messages: toMessages(record.input.messages),
    response: record.response ?? {},
    error_str: failed ? (record.error?.message ?? "") : null,
    error_information: {
      error_code: record.error?.code ?? "",
      error_class: record.error?.class ?? "",
      llm_provider: failed ? (record.provider ?? "") : "",
      traceback: "",
      error_message: record.error?.message ?? "",
    },
    model_parameters: toModelParameters(record),
    hidden_params: {
      model_id: record.modelId,
      cache_key: null,
      api_base: record.apiBase === null ? null : apiBase,
      response_cost: record.responseCostUsd,
      litellm_overhead_time_ms: null,
      additional_headers: {},
      batch_models: null,
      litellm_model_name: record.model,
      usage_object: usageObject,
    },
    guardrail_information: null,
    standard_built_in_tools_params: { web_search_options: null, file_search: null },
    ...(record.attempts === undefined ? {} : { attempts: toAttempts(record.attempts) }),
  };
}

/** The attempts that failed before the last one: ours beside LiteLLM's fields, and only where there are any. */
export function toAttempts(attempts: readonly RecordAttempt[]): JsonObject[] {
  return attempts.map((attempt) => ({
    model_group: attempt.modelGroup,
    model: attempt.model,
    model_id: attempt.modelId,
    custom_llm_provider: attempt.provider,
    api_base: attempt.apiBase,
    startTime: toSeconds(attempt.startTimeMs),
    endTime: toSeconds(attempt.endTimeMs),
    error_code: attempt.error.code,
    error_class: attempt.error.class,
    error_message: attempt.error.message,
  }));
}

/** The allow-list of caller and request facts; what is unknown is null, so that every key is always there. */
function toPayloadMetadata(record: LogRecord, usageObject: Json): JsonObject {
  const { caller } = record;
  return {
    user_api_key_hash: caller.keyHash,
    user_api_key_alias: caller.keyAlias,
    user_api_key_spend: record.keyBudget?.spendUsd ?? null,
    user_api_key_max_budget: record.keyBudget?.maxBudgetUsd ?? null,
    user_api_key_budget_reset_at: null,
    user_api_key_auth_metadata: null,
    user_api_key_request_route: record.route,
    user_api_key_user_id: caller.userId,
    user_api_key_user_email: caller.userEmail,
    user_api_key_user_spend: null,
    user_api_key_user_max_budget: null,
    user_api_key_end_user_id: record.endUser,
    user_api_key_team_id: caller.teamId,
    user_api_key_team_alias: caller.teamAlias,
    user_api_key_team_spend: null,
    user_api_key_team_max_budget: null,
    team_id: caller.teamId,
    team_alias: caller.teamAlias,
    user_api_key_org_id: caller.organizationId,
    user_api_key_org_alias: null,
    user_api_key_project_id: null,
    user_api_key_project_alias: null,
    requester_ip_address: record.requesterIpAddress,
    user_agent: record.userAgent,
    requester_metadata: record.requesterMetadata,
    requester_custom_headers: null,
    spend_logs_metadata: record.requesterMetadata["spend_logs_metadata"] ?? null,
    prompt_management_metadata: null,
    mcp_tool_call_metadata: null,
    vector_store_request_metadata: null,
    applied_guardrails: [],
    usage_object: usageObject,
    cold_storage_object_key: null,
    ...estimateMark(record),
  };
}

/** Ours: present only if the token counts are estimated. */
function estimateMark({ usage }: LogRecord): JsonObject {
  return usage.isEstimated === true ? { usage_estimated: true } : {};
}

/** The upstream's id, else the call id. A cached answer repeats its id, so a cache hit gets the call's time as suffix. */
function toPayloadId(record: LogRecord): string {
  const id = record.responseId === null || record.responseId === "" ? record.callId : record.responseId;
  return record.cacheHit === true ? `${id}_cache_hit${String(toSeconds(record.endTimeMs))}` : id;
}

function toPayloadTraceId(record: LogRecord): string {
  for (const name of ["session_id", "trace_id"]) {
    const value = record.requesterMetadata[name];
    if (typeof value === "string" && value !== "") return value;
  }
  return record.callId;
}

function toUsageObject(record: LogRecord): Json {
  if (record.status === "failure") return null;
  const usage = record.response?.["usage"];
  if (typeof usage === "object" && usage !== null) return usage;
  return {
    prompt_tokens: record.usage.promptTokens,
    completion_tokens: record.usage.completionTokens,
    total_tokens: record.usage.totalTokens,
  };
}

/** Readers of the payload count on a list of objects, so a bare prompt becomes one user message. */
function toMessages(messages: Json): Json[] {
  if (messages === null) return [];
  const list = Array.isArray(messages) ? messages : [messages];
  return list.map((message) =>
    typeof message === "object" && message !== null && !Array.isArray(message)
      ? message
      : { role: "user", content: message },
  );
}

function toModelParameters(record: LogRecord): JsonObject {
  const { tools, functions } = record.input;
  return {
    ...record.modelParameters,
    ...(tools === undefined ? {} : { tools }),
    ...(functions === undefined ? {} : { functions }),
  };
}

/** Epoch seconds to the microsecond, without the noise of a division. */
function toSeconds(ms: number): number {
  return Math.round(ms * 1000) / 1_000_000;
}
