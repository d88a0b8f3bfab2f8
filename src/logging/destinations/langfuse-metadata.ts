import { toContent } from "#logging/destinations/langfuse-content.ts";
import type { LangfuseSpanOptions } from "#logging/destinations/langfuse-content.ts";
import type { LangfuseSteering } from "#logging/destinations/langfuse-steering.ts";
import { booleanAttribute, doubleAttribute, textAttribute } from "#logging/destinations/otlp-json.ts";
import { toAttempts } from "#logging/destinations/standard-logging-payload.ts";
import type { OtlpAttribute } from "#logging/destinations/otlp-json.ts";
import { isBrokenOff, type Json, type JsonObject, type LogRecord } from "#logging/record.ts";

/** The client's own metadata first, then what the gateway knows, which a client cannot overwrite. */
export function metadataAttributes(
  record: LogRecord,
  steering: LangfuseSteering,
  options: LangfuseSpanOptions,
): OtlpAttribute[] {
  return Object.entries(toObservationMetadata(record, steering, options)).flatMap(([key, value]) =>
    metadataAttribute(`langfuse.observation.metadata.${key}`, value, options),
  );
}

/** The generation's metadata, nulls included. */
export function toObservationMetadata(
  record: LogRecord,
  steering: LangfuseSteering,
  options: LangfuseSpanOptions,
): JsonObject {
  return {
    ...(options.brief ? { shortened: true } : { ...steering.trace.metadata, ...steering.metadata }),
    ...(steering.debug && !options.brief ? { metadata_passed_to_litellm: record.requesterMetadata } : {}),
    ...toGatewayMetadata(record),
  };
}

/** What the gateway itself knows of a call, under LiteLLM's names. */
export function toGatewayMetadata(record: LogRecord): JsonObject {
  const { caller } = record;
  return {
    user_api_key_hash: caller.keyHash,
    user_api_key_alias: caller.keyAlias,
    user_api_key_user_id: caller.userId,
    user_api_key_user_email: caller.userEmail,
    user_api_key_team_id: caller.teamId,
    user_api_key_team_alias: caller.teamAlias,
    user_api_key_org_id: caller.organizationId,
    user_api_key_end_user_id: record.endUser,
    user_api_key_request_route: record.route,
    requester_ip_address: record.requesterIpAddress,
    user_agent: record.userAgent,
    model_group: record.modelGroup,
    api_base: record.apiBase,
    cache_hit: record.cacheHit,
    litellm_response_cost: record.status === "success" || isBrokenOff(record) ? record.responseCostUsd : null,
    litellm_call_id: record.callId,
    record_id: record.recordId,
    ...(record.clientDisconnected ? { client_disconnected: true } : {}),
    ...(record.usage.isEstimated === true ? { usage_estimated: true } : {}),
    ...(record.attempts === undefined ? {} : { attempts: toAttempts(record.attempts) }),
    ...(record.error === null ? {} : { error_code: record.error.code, error_class: record.error.class }),
  };
}

/** One attribute, or none for a null: Langfuse would show it as text. */
export function metadataAttribute(key: string, value: Json, options: LangfuseSpanOptions): OtlpAttribute[] {
  if (value === null) return [];
  if (typeof value === "boolean") return [booleanAttribute(key, value)];
  if (typeof value === "number") return [doubleAttribute(key, value)];
  return [textAttribute(key, toContent(value, options))];
}
