import { derivedHex } from "#lib/id.ts";
import { toContentValue } from "#logging/destinations/langfuse-content.ts";
import type { LangfuseSpanOptions } from "#logging/destinations/langfuse-content.ts";
import { toTraceTags } from "#logging/destinations/langfuse-default-tags.ts";
import { toModelParameters, toUsageDetails } from "#logging/destinations/langfuse-generation.ts";
import { toObservationMetadata } from "#logging/destinations/langfuse-metadata.ts";
import {
  toGenerationName,
  toInput,
  toOutput,
  toStatusMessage,
  toTraceName,
} from "#logging/destinations/langfuse-span.ts";
import { readSteering, toTraceId } from "#logging/destinations/langfuse-steering.ts";
import type { LangfuseSteering } from "#logging/destinations/langfuse-steering.ts";
import type { Json, JsonObject, LogRecord } from "#logging/record.ts";

/** One event of the old batch. */
export type LangfuseIngestionEvent =
  | { id: string; timestamp: string; type: "trace-create"; body: LangfuseTraceBody }
  | { id: string; timestamp: string; type: "generation-create"; body: LangfuseGenerationBody };

/** The body of a `trace-create`; a field that is absent leaves what the trace has. */
export type LangfuseTraceBody = {
  id: string;
  timestamp: string;
  name?: string;
  userId?: string;
  sessionId?: string;
  release?: string;
  version?: string;
  public?: boolean;
  tags?: string[];
  environment?: string;
  metadata?: JsonObject;
  input?: Json;
  output?: Json;
};

/** The body of a `generation-create`. */
export type LangfuseGenerationBody = {
  id: string;
  traceId: string;
  parentObservationId?: string;
  name: string;
  startTime: string;
  endTime: string;
  completionStartTime: string;
  level: "DEFAULT" | "ERROR";
  statusMessage?: string;
  model: string;
  modelParameters: Record<string, string | number | boolean | null>;
  usage?: { input: number; output: number; unit: "TOKENS"; totalCost: number };
  usageDetails?: Record<string, number>;
  costDetails?: Record<string, number>;
  promptName?: string;
  promptVersion?: number;
  version?: string;
  environment?: string;
  metadata: JsonObject;
  input: Json;
  output?: Json;
};

/** Langfuse's limit of one event; its own clients replace a larger one's content by this text. */
const eventBytesMax = 1024 * 1024;
const leftOut = "<truncated due to size exceeding limit>";

/**
 * The two events of a record: its trace and its generation, with the fields that its span has on the other wire. All
 * ids and times come from the record, so that a repetition replaces. A client's own ids stay as they are: on servers
 * this old its other traces have them in that form.
 */
export function toIngestionEvents(record: LogRecord, options: LangfuseSpanOptions): LangfuseIngestionEvent[] {
  const steering = readSteering(record, options.promptVersion);
  const input = toContentValue(toInput(record, steering), options);
  const givenOutput = toOutput(record, steering);
  const content = {
    steering,
    options,
    traceId: steering.traceId ?? toTraceId(record.callId),
    input,
    output: givenOutput === undefined ? undefined : toContentValue(givenOutput, options),
  };
  // A later event of the same trace wins by this time.
  const timestamp = toIso(Math.max(record.startTimeMs, record.endTimeMs));
  const toEventId = (type: string): string => toUuid(derivedHex([record.recordId, options.callbackId, type], 16));
  return [
    withinLimit({ id: toEventId("trace"), timestamp, type: "trace-create", body: toTraceBody(record, content) }),
    withinLimit({
      id: toEventId("generation"),
      timestamp,
      type: "generation-create",
      body: toGenerationBody(record, content),
    }),
  ];
}

type EventContent = {
  steering: LangfuseSteering;
  options: LangfuseSpanOptions;
  traceId: string;
  input: Json;
  output: Json | undefined;
};

function toTraceBody(record: LogRecord, content: EventContent): LangfuseTraceBody {
  const { steering, options, input, output } = content;
  const { trace } = steering;
  const takes = (listed: boolean): boolean => listed || !steering.continuesTrace;
  const tags = toTraceTags(record, steering, options);
  return {
    id: content.traceId,
    timestamp: toIso(record.startTimeMs),
    ...given("name", toTraceName(record, steering)),
    ...given("userId", trace.userId),
    ...given("sessionId", trace.sessionId),
    ...given("release", trace.release),
    ...given("version", trace.version ?? steering.version),
    ...given("public", trace.isPublic),
    ...(tags.length === 0 && steering.continuesTrace ? {} : { tags }),
    ...given("environment", options.environment),
    ...(Object.keys(trace.metadata).length === 0 ? {} : { metadata: toMetadata(trace.metadata, options) }),
    ...(takes(trace.takesInput) ? { input } : {}),
    ...(takes(trace.takesOutput) && record.status === "success" && output !== undefined ? { output } : {}),
  };
}

function toGenerationBody(record: LogRecord, content: EventContent): LangfuseGenerationBody {
  const { steering, options, input, output } = content;
  const usage = toUsageDetails(record);
  return {
    id: steering.generationId ?? derivedHex([record.recordId, options.callbackId], 8),
    traceId: content.traceId,
    ...given("parentObservationId", steering.parentObservationId),
    name: toGenerationName(record, steering),
    startTime: toIso(record.startTimeMs),
    endTime: toIso(Math.max(record.startTimeMs, record.endTimeMs)),
    completionStartTime: toIso(record.completionStartTimeMs),
    level: record.status === "failure" ? "ERROR" : "DEFAULT",
    ...given("statusMessage", toStatusMessage(record, steering, options)),
    model: record.model,
    modelParameters: toModelParameters(record),
    ...(usage === null ? {} : toUsage(usage, record.responseCostUsd)),
    ...(steering.prompt === null ? {} : { promptName: steering.prompt.name, promptVersion: steering.prompt.version }),
    ...given("version", steering.version ?? steering.trace.version),
    ...given("environment", options.environment),
    metadata: toMetadata(toObservationMetadata(record, steering, options), options),
    input,
    ...(output === undefined ? {} : { output }),
  };
}

/** Both forms of the counts: servers of version 2 read the first, later ones the other. Fractions would be dropped. */
function toUsage(
  details: Readonly<Record<string, number>> & { input: number; output: number },
  totalCostUsd: number,
): Pick<LangfuseGenerationBody, "usage" | "usageDetails" | "costDetails"> {
  const whole = Object.fromEntries(Object.entries(details).map(([name, count]) => [name, Math.round(count)]));
  const { input, output } = details;
  return {
    usage: { input: Math.round(input), output: Math.round(output), unit: "TOKENS", totalCost: totalCostUsd },
    usageDetails: whole,
    costDetails: { total: totalCostUsd },
  };
}

/** Nulls go, as on the other wire, where Langfuse would show them as text. */
function toMetadata(metadata: JsonObject, options: LangfuseSpanOptions): JsonObject {
  return Object.fromEntries(
    Object.entries(metadata).flatMap(([name, value]) =>
      value === null ? [] : [[name, toContentValue(value, options)]],
    ),
  );
}

function withinLimit(event: LangfuseIngestionEvent): LangfuseIngestionEvent {
  const bytes = byteLength(event);
  if (bytes <= eventBytesMax) return event;
  const parts = [
    ["input", byteLength(event.body.input)],
    ["output", byteLength(event.body.output)],
    ["metadata", byteLength(event.body.metadata)],
  ] as const;
  let excess = bytes - eventBytesMax;
  const removed: Record<string, Json> = {};
  for (const [name, partBytes] of parts.toSorted((left, right) => right[1] - left[1])) {
    if (excess <= 0) break;
    removed[name] = name === "metadata" ? { truncated: leftOut } : leftOut;
    excess -= partBytes - byteLength(removed[name]);
  }
  return event.type === "trace-create"
    ? { ...event, body: { ...event.body, ...removed } }
    : { ...event, body: { ...event.body, ...removed } };
}

function byteLength(value: unknown): number {
  return value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value));
}

/** The field, or none for null. */
function given<Name extends string, Value>(name: Name, value: Value | null): { [name in Name]?: Value } {
  const field: { [name in Name]?: Value } = {};
  if (value !== null) field[name] = value;
  return field;
}

function toIso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** Sixteen bytes as a UUID of version 8, which is for ids of one's own making. */
function toUuid(hex: string): string {
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`];
  return [...parts, hex.slice(20, 32)].join("-");
}
