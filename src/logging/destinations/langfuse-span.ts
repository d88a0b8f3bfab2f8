import { derivedHex } from "#lib/id.ts";
import { optionalText, toContent } from "#logging/destinations/langfuse-content.ts";
import type { LangfuseSpanOptions } from "#logging/destinations/langfuse-content.ts";
import { toTraceTags } from "#logging/destinations/langfuse-default-tags.ts";
import { generationAttributes } from "#logging/destinations/langfuse-generation.ts";
import { metadataAttribute, metadataAttributes } from "#logging/destinations/langfuse-metadata.ts";
import { toLangfuseOutput } from "#logging/destinations/langfuse-output.ts";
import { readSteering, resolveTraceId, toHexId, toTraceId } from "#logging/destinations/langfuse-steering.ts";
import type { LangfuseSteering } from "#logging/destinations/langfuse-steering.ts";
import {
  booleanAttribute,
  doubleAttribute,
  textAttribute,
  textsAttribute,
  toUnixNano,
} from "#logging/destinations/otlp-json.ts";
import { genAiAttributes } from "#logging/destinations/otel-gen-ai.ts";
import type { OtlpAttribute, OtlpSpan } from "#logging/destinations/otlp-json.ts";
import { isBrokenOff, type Json, type LogRecord } from "#logging/record.ts";

const masked = "redacted-by-litellm";

/**
 * The span that becomes the record's generation in Langfuse. Its ids and times come from the record alone, so every
 * retry is the same span. A client's own generation and trace ids are kept as they are, which Langfuse's JSON allows.
 */
export function toLangfuseSpan(record: LogRecord, options: LangfuseSpanOptions): OtlpSpan {
  const steering = readSteering(record, options.promptVersion);
  const asId = (text: string, digits: 16 | 32): string => (options.hexIds === true ? toHexId(text, digits) : text);
  const traceId = steering.traceId === null ? toTraceId(record.callId) : asId(resolveTraceId(steering.traceId), 32);
  const parentId = toParentSpanId(steering, traceId);
  const parentSpanId = parentId === null ? null : asId(parentId, 16);
  const statusMessage = toStatusMessage(record, steering, options);
  return {
    traceId,
    spanId:
      steering.generationId === null
        ? derivedHex([record.recordId, options.callbackId], 8)
        : asId(steering.generationId, 16),
    ...(parentSpanId === null ? {} : { parentSpanId }),
    name: toGenerationName(record, steering),
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
      ...(options.genAi === true ? genAiAttributes(record, doubleAttribute) : []),
    ],
    status: statusMessage === null ? { code: 0 } : { code: 2, message: statusMessage },
  };
}

/** The generation's name: the client's, else one after the key's alias, else one after the operation. */
export function toGenerationName(record: LogRecord, steering: LangfuseSteering): string {
  if (steering.generationName !== null) return steering.generationName;
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
export function toStatusMessage(
  record: LogRecord,
  steering: LangfuseSteering,
  options: LangfuseSpanOptions,
): string | null {
  if (record.status === "success") return null;
  if (steering.masksInput || steering.masksOutput) return masked;
  return toContent(record.error?.message ?? "", options);
}

/** The trace's name; null where the trace exists already and keeps its own. */
export function toTraceName(record: LogRecord, steering: LangfuseSteering): string | null {
  return steering.trace.name ?? (steering.continuesTrace ? null : `litellm-${record.callType}`);
}

function traceAttributes(record: LogRecord, steering: LangfuseSteering, options: LangfuseSpanOptions): OtlpAttribute[] {
  const { trace } = steering;
  const tags = toTraceTags(record, steering, options);
  return [
    ...optionalText("langfuse.trace.name", toTraceName(record, steering)),
    ...optionalText("user.id", trace.userId),
    ...optionalText("session.id", trace.sessionId),
    ...(tags.length === 0 ? [] : [textsAttribute("langfuse.trace.tags", tags)]),
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
  const input = toContent(toInput(record, steering), options);
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

/** What the generation shows as its input: messages and tools, or the mask. */
export function toInput(record: LogRecord, steering: LangfuseSteering): Json {
  if (steering.masksInput) return masked;
  const { messages, tools, functions } = record.input;
  return {
    messages,
    ...(functions === undefined || functions === null ? {} : { functions }),
    ...(tools === undefined || tools === null ? {} : { tools }),
  };
}

/** What the generation shows as its output; undefined where there is none. */
export function toOutput(record: LogRecord, steering: LangfuseSteering): Json | undefined {
  // A failure that broke off in the middle shows what came; its error is the status message.
  const isPartial = isBrokenOff(record) && record.response !== null;
  if (record.status === "failure" && !isPartial)
    return steering.masksInput || steering.masksOutput ? masked : (record.error?.message ?? "");
  const output = toLangfuseOutput(record);
  return output !== undefined && steering.masksOutput ? masked : output;
}
