import { derivedHex } from "#lib/id.ts";
import { optionalText, toContent } from "#logging/destinations/langfuse-content.ts";
import type { LangfuseSpanOptions } from "#logging/destinations/langfuse-content.ts";
import { generationAttributes } from "#logging/destinations/langfuse-generation.ts";
import { metadataAttribute, metadataAttributes } from "#logging/destinations/langfuse-metadata.ts";
import { toLangfuseOutput } from "#logging/destinations/langfuse-output.ts";
import { readSteering, resolveTraceId, toTraceId } from "#logging/destinations/langfuse-steering.ts";
import type { LangfuseSteering } from "#logging/destinations/langfuse-steering.ts";
import { booleanAttribute, textAttribute, textsAttribute, toUnixNano } from "#logging/destinations/otlp-json.ts";
import type { OtlpAttribute, OtlpSpan } from "#logging/destinations/otlp-json.ts";
import type { Json, JsonObject, LogRecord } from "#logging/record.ts";

const masked = "redacted-by-litellm";

/**
 * The span that becomes the record's generation in Langfuse. Its ids and times come from the record alone, so every
 * retry is the same span. A client's own generation and trace ids are kept as they are, which Langfuse's JSON allows.
 */
export function toLangfuseSpan(record: LogRecord, options: LangfuseSpanOptions): OtlpSpan {
  const steering = readSteering(record, options.promptVersion);
  const traceId = steering.traceId === null ? toTraceId(record.callId) : resolveTraceId(steering.traceId);
  const parentSpanId = toParentSpanId(steering, traceId);
  const statusMessage = toStatusMessage(record, steering, options);
  return {
    traceId,
    spanId: steering.generationId ?? derivedHex([record.recordId, options.callbackId], 8),
    ...(parentSpanId === null ? {} : { parentSpanId }),
    name: steering.generationName ?? toDefaultName(record),
    kind: 3,
    startTimeUnixNano: toUnixNano(record.startTimeMs),
    endTimeUnixNano: toUnixNano(Math.max(record.startTimeMs, record.endTimeMs)),
    attributes: [
      textAttribute("langfuse.observation.type", "generation"),
      ...(parentSpanId === null ? [booleanAttribute("langfuse.internal.as_root", true)] : []),
      ...traceAttributes(record, steering, options),
      ...contentAttributes(record, steering, options),
      ...generationAttributes(record, steering, statusMessage),
      ...metadataAttributes(record, steering, options),
    ],
    status: statusMessage === null ? { code: 0 } : { code: 2, message: statusMessage },
  };
}

function toDefaultName(record: LogRecord): string {
  return record.caller.keyAlias === null ? `litellm-${record.callType}` : `litellm:${record.caller.keyAlias}`;
}

/**
 * A span without a parent is a root to Langfuse, and a root renames its trace. A call that continues a trace without
 * naming a parent therefore hangs under a parent that exists nowhere, as Langfuse's own SDKs do it.
 */
function toParentSpanId(steering: LangfuseSteering, traceId: string): string | null {
  if (steering.parentObservationId !== null) return steering.parentObservationId;
  return steering.continuesTrace ? derivedHex(["langfuse-continued-trace", traceId], 8) : null;
}

/** The error's text, null on success. It may quote the prompt or the answer, so either mask covers it. */
function toStatusMessage(record: LogRecord, steering: LangfuseSteering, options: LangfuseSpanOptions): string | null {
  if (record.status === "success") return null;
  if (steering.masksInput || steering.masksOutput) return masked;
  return toContent(record.error?.message ?? "", options);
}

function traceAttributes(record: LogRecord, steering: LangfuseSteering, options: LangfuseSpanOptions): OtlpAttribute[] {
  const { trace } = steering;
  const name = trace.name ?? (steering.continuesTrace ? null : `litellm-${record.callType}`);
  return [
    ...optionalText("langfuse.trace.name", name),
    ...optionalText("user.id", trace.userId),
    ...optionalText("session.id", trace.sessionId),
    ...(trace.tags.length === 0 ? [] : [textsAttribute("langfuse.trace.tags", trace.tags)]),
    ...optionalText("langfuse.version", trace.version ?? steering.version),
    ...optionalText("langfuse.release", trace.release),
    ...optionalText("langfuse.environment", options.environment),
    ...(trace.isPublic === null ? [] : [booleanAttribute("langfuse.trace.public", trace.isPublic)]),
    ...Object.entries(trace.metadata).flatMap(([key, value]) =>
      metadataAttribute(`langfuse.trace.metadata.${key}`, value, options),
    ),
  ];
}

function contentAttributes(
  record: LogRecord,
  steering: LangfuseSteering,
  options: LangfuseSpanOptions,
): OtlpAttribute[] {
  const input = steering.masksInput ? masked : toContent(toInput(record), options);
  const output = toOutput(record, steering);
  const outputText = output === undefined ? null : toContent(output, options);
  return [
    textAttribute("langfuse.observation.input", input),
    ...optionalText("langfuse.observation.output", outputText),
    ...optionalText("langfuse.trace.input", steering.trace.takesInput ? input : null),
    ...optionalText(
      "langfuse.trace.output",
      steering.trace.takesOutput && record.status === "success" ? outputText : null,
    ),
  ];
}

function toInput(record: LogRecord): JsonObject {
  const { messages, tools, functions } = record.input;
  return {
    messages,
    ...(functions === undefined || functions === null ? {} : { functions }),
    ...(tools === undefined || tools === null ? {} : { tools }),
  };
}

function toOutput(record: LogRecord, steering: LangfuseSteering): Json | undefined {
  if (record.status === "failure")
    return steering.masksInput || steering.masksOutput ? masked : (record.error?.message ?? "");
  const output = toLangfuseOutput(record);
  return output !== undefined && steering.masksOutput ? masked : output;
}
