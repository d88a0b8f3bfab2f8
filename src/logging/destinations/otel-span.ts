import { derivedHex, sha256Hex } from "#lib/id.ts";
import { capText, toCappedJson } from "#logging/destinations/langfuse-cap.ts";
import { readSteering, resolveTraceId, toTraceId } from "#logging/destinations/langfuse-steering.ts";
import type { LangfuseSteering } from "#logging/destinations/langfuse-steering.ts";
import { genAiAttributes, toOperationName } from "#logging/destinations/otel-gen-ai.ts";
import { toGenAiContent } from "#logging/destinations/otel-messages.ts";
import { booleanAttribute, doubleAttribute, integerAttribute } from "#logging/destinations/otlp-json.ts";
import { textAttribute, textsAttribute } from "#logging/destinations/otlp-json.ts";
import { toUnixNano } from "#logging/destinations/otlp-json.ts";
import type { OtlpAttribute, OtlpSpan } from "#logging/destinations/otlp-json.ts";
import { isBrokenOff, type Json, type LogRecord } from "#logging/record.ts";

/** What shapes a span beside its record. */
export type OtelSpanOptions = {
  callbackId: string;
  /** True after the collector refused the span as too large: messages, tools and the error's text are left out. */
  brief: boolean;
};

const textBytesMax = 32 * 1024;

/** Parameters that are no plain number or text, so that the conventions' attributes do not hold them. */
const unnamedParameters = ["response_format", "tool_choice", "logit_bias"] as const;

/**
 * The client span of a call by the GenAI conventions. Ids and times come from the record alone, so every retry is the
 * same span. Trace and parent ids of the client are hashed unless they are hex already: OTLP takes no other.
 */
export function toOtelSpan(record: LogRecord, options: OtelSpanOptions): OtlpSpan {
  const steering = readSteering(record, null);
  const traceId = steering.traceId === null ? toTraceId(record.callId) : toHexTraceId(steering.traceId);
  const { parentObservationId } = steering;
  const message = options.brief ? "" : (record.error?.message ?? "");
  return {
    traceId,
    spanId: derivedHex([record.recordId, options.callbackId], 8),
    ...(parentObservationId === null ? {} : { parentSpanId: toHexSpanId(parentObservationId) }),
    name: `${toOperationName(record)} ${record.model}`.trim(),
    kind: 3,
    startTimeUnixNano: toUnixNano(record.startTimeMs),
    endTimeUnixNano: toUnixNano(Math.max(record.startTimeMs, record.endTimeMs)),
    attributes: [
      ...genAiAttributes(record, integerAttribute),
      ...identityAttributes(record, steering),
      ...(options.brief ? [] : [...contentAttributes(record, steering), ...clientAttributes(record, steering)]),
    ],
    status: record.status === "success" ? { code: 0 } : { code: 2, ...errorMessage(message, steering) },
  };
}

function toHexTraceId(text: string): string {
  const id = resolveTraceId(text);
  return /^[0-9a-f]{32}$/.test(id) ? id : sha256Hex(text).slice(0, 32);
}

function toHexSpanId(text: string): string {
  const id = text.toLowerCase();
  return /^[0-9a-f]{16}$/.test(id) && !/^0+$/.test(id) ? id : sha256Hex(text).slice(0, 16);
}

/** An error's text may quote the prompt or the answer, so either mask covers it. */
function errorMessage(message: string, steering: LangfuseSteering): { message?: string } {
  if (message === "" || steering.masksInput || steering.masksOutput) return {};
  return { message: capText(message, textBytesMax) };
}

/** Whose call it was and what it cost, under LiteLLM's names. */
function identityAttributes(record: LogRecord, steering: LangfuseSteering): OtlpAttribute[] {
  const { caller } = record;
  const texts: [string, string | null][] = [
    ["sluice.record_id", record.recordId],
    ["litellm.call_id", record.callId],
    ["litellm.call_type", record.callType],
    ["litellm.model_group", record.modelGroup],
    ["litellm.team.id", caller.teamId],
    ["litellm.team.alias", caller.teamAlias],
    ["litellm.api_key.hash", caller.keyHash],
    ["litellm.api_key.alias", caller.keyAlias],
    ["litellm.user.id", caller.userId],
    ["litellm.organization.id", caller.organizationId],
    ["litellm.end_user.id", record.endUser],
    ["gen_ai.conversation.id", steering.trace.sessionId],
    ["error.code", record.error?.code ?? null],
  ];
  return [
    ...texts.flatMap(([key, value]) => (value === null || value === "" ? [] : [textAttribute(key, value)])),
    ...(record.requestTags.length === 0 ? [] : [textsAttribute("litellm.request_tags", record.requestTags)]),
    ...(record.usage.isEstimated === true ? [booleanAttribute("litellm.usage_estimated", true)] : []),
    ...(record.status === "success" || isBrokenOff(record)
      ? [doubleAttribute("litellm.cost.total", record.responseCostUsd)]
      : []),
  ];
}

/** What the client said beside its messages, for which the conventions have no name. Either mask covers it. */
function clientAttributes(
  { requesterMetadata, modelParameters }: LogRecord,
  steering: LangfuseSteering,
): OtlpAttribute[] {
  const parameters = unnamedParameters.map((name): [string, Json | undefined] => [
    `litellm.request.${name}`,
    modelParameters[name],
  ]);
  const metadata = Object.entries(requesterMetadata).map(([name, value]): [string, Json] => [
    `litellm.metadata.${name}`,
    value,
  ]);
  if (steering.masksInput || steering.masksOutput) return [];
  return [...parameters, ...metadata].flatMap(([key, value]) => {
    if (value === undefined || value === null) return [];
    return [
      textAttribute(key, typeof value === "string" ? capText(value, textBytesMax) : toCappedJson(value, textBytesMax)),
    ];
  });
}

/** Messages and tools as JSON texts; the client's masks hold here too. */
function contentAttributes(record: LogRecord, steering: LangfuseSteering): OtlpAttribute[] {
  const content = toGenAiContent(record);
  const input: [string, Json | undefined][] = [
    ["gen_ai.system_instructions", content.systemInstructions],
    ["gen_ai.input.messages", content.inputMessages],
    ["gen_ai.tool.definitions", content.toolDefinitions],
  ];
  const output: [string, Json | undefined][] = [["gen_ai.output.messages", content.outputMessages]];
  return [...(steering.masksInput ? [] : input), ...(steering.masksOutput ? [] : output)].flatMap(([key, value]) =>
    value === undefined ? [] : [textAttribute(key, toCappedJson(value, textBytesMax))],
  );
}
