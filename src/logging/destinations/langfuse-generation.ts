import { toCappedJson } from "#logging/destinations/langfuse-cap.ts";
import { optionalText } from "#logging/destinations/langfuse-content.ts";
import type { LangfuseSteering } from "#logging/destinations/langfuse-steering.ts";
import { doubleAttribute, textAttribute } from "#logging/destinations/otlp-json.ts";
import type { OtlpAttribute } from "#logging/destinations/otlp-json.ts";
import { isBrokenOff, type Json, type LogRecord } from "#logging/record.ts";

const parameterBytesMax = 2048;

/** What Langfuse knows of a generation beside its content: outcome, model, parameters, usage, cost and prompt. */
export function generationAttributes(
  record: LogRecord,
  steering: LangfuseSteering,
  statusMessage: string | null,
): OtlpAttribute[] {
  const { prompt } = steering;
  return [
    textAttribute("langfuse.observation.level", record.status === "failure" ? "ERROR" : "DEFAULT"),
    ...optionalText("langfuse.observation.status_message", statusMessage),
    textAttribute("langfuse.observation.model.name", record.model),
    textAttribute("langfuse.observation.model.parameters", JSON.stringify(toModelParameters(record))),
    textAttribute("langfuse.observation.completion_start_time", new Date(record.completionStartTimeMs).toISOString()),
    ...usageAttributes(record),
    ...optionalText("langfuse.observation.prompt.name", prompt?.name ?? null),
    // Older Langfuse servers read a 64-bit integer in JSON as NaN, so every number goes as a double.
    ...(prompt === null ? [] : [doubleAttribute("langfuse.observation.prompt.version", prompt.version)]),
  ];
}

/** Langfuse takes only scalars as model parameters. */
export function toModelParameters(record: LogRecord): Record<string, string | number | boolean | null> {
  const parameters = Object.entries(record.modelParameters).map(([name, value]) => [name, toScalar(value)] as const);
  const fingerprint = record.response?.["system_fingerprint"];
  return {
    ...Object.fromEntries(parameters),
    ...(typeof fingerprint === "string" ? { system_fingerprint: fingerprint } : {}),
  };
}

function toScalar(value: Json): string | number | boolean | null {
  return typeof value === "object" && value !== null ? toCappedJson(value, parameterBytesMax) : value;
}

function usageAttributes(record: LogRecord): OtlpAttribute[] {
  const details = toUsageDetails(record);
  if (details === null) return [];
  return [
    textAttribute("langfuse.observation.usage_details", JSON.stringify(details)),
    textAttribute("langfuse.observation.cost_details", JSON.stringify({ total: record.responseCostUsd })),
  ];
}

/** The token counts as Langfuse names them. */
export type LangfuseUsageDetails = {
  input: number;
  output: number;
  total: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
};

/**
 * Buckets without overlap: input tokens are those that were neither read from nor written to the prompt cache. Null where
 * a call has neither tokens nor a price.
 */
export function toUsageDetails(record: LogRecord): LangfuseUsageDetails | null {
  const { promptTokens, completionTokens, totalTokens, cacheReadTokens, cacheWriteTokens } = record.usage;
  if (record.status === "failure" && !isBrokenOff(record)) return null;
  if (promptTokens + completionTokens + totalTokens + record.responseCostUsd === 0) return null;
  const input = Math.max(0, promptTokens - cacheReadTokens - cacheWriteTokens);
  return {
    input,
    output: completionTokens,
    total: Math.max(totalTokens, input + completionTokens + cacheReadTokens + cacheWriteTokens),
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cacheReadTokens,
  };
}
