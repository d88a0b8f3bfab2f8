import { booleanAttribute, doubleAttribute, textAttribute, textsAttribute } from "#logging/destinations/otlp-json.ts";
import type { OtlpAttribute } from "#logging/destinations/otlp-json.ts";
import { isJsonObject } from "#logging/record.ts";
import type { Json, LogRecord } from "#logging/record.ts";

/** How a whole number is written: as an integer, or as a double for receivers that read no 64-bit text. */
type NumberAttribute = (key: string, value: number) => OtlpAttribute;

/** LiteLLM's provider -> the name that the conventions give it; others keep theirs. */
const providerNames: Readonly<Record<string, string>> = {
  azure: "azure.ai.openai",
  azure_ai: "azure.ai.inference",
  bedrock: "aws.bedrock",
  gemini: "gcp.gemini",
  mistral: "mistral_ai",
  vertex_ai: "gcp.vertex_ai",
  watsonx: "ibm.watsonx.ai",
  xai: "x_ai",
};

const numberParameters = [
  ["temperature", "temperature"],
  ["top_p", "top_p"],
  ["frequency_penalty", "frequency_penalty"],
  ["presence_penalty", "presence_penalty"],
] as const;

const integerParameters = [
  ["top_k", "top_k"],
  ["seed", "seed"],
  ["max_output_tokens", "max_tokens"],
  ["max_tokens", "max_tokens"],
  ["max_completion_tokens", "max_tokens"],
] as const;

/**
 * The GenAI semantic conventions' attributes of a call, without any content: operation, provider, models, request
 * parameters, usage, outcome and server. https://github.com/open-telemetry/semantic-conventions-genai
 */
export function genAiAttributes(record: LogRecord, integer: NumberAttribute): OtlpAttribute[] {
  const attributes = [
    textAttribute("gen_ai.operation.name", toOperationName(record)),
    textAttribute("gen_ai.provider.name", toProviderName(record.provider)),
    textAttribute("gen_ai.request.model", record.model),
    ...requestAttributes(record, integer),
    ...responseAttributes(record),
    ...usageAttributes(record, integer),
    ...serverAttributes(record, integer),
  ];
  if (record.status === "success") return attributes;
  return [...attributes, textAttribute("error.type", record.error?.class || record.error?.code || "_OTHER")];
}

/** The conventions' name of the operation; LiteLLM's own, without its `a` for asynchronous, where they have none. */
export function toOperationName(record: LogRecord): string {
  const { callType } = record;
  if (/completion|responses|messages/.test(callType))
    return callType.includes("text_completion") ? "text_completion" : "chat";
  if (callType.includes("embedding")) return "embeddings";
  return callType.replace(/^a(?=[a-z]+_)/, "") || "chat";
}

function toProviderName(provider: string | null): string {
  if (provider === null) return "unknown";
  return Object.hasOwn(providerNames, provider) ? (providerNames[provider] ?? provider) : provider;
}

function requestAttributes(record: LogRecord, integer: NumberAttribute): OtlpAttribute[] {
  const given = record.modelParameters;
  const found = new Map<string, OtlpAttribute>();
  const put = (attribute: OtlpAttribute): unknown => found.set(attribute.key, attribute);
  for (const [name, key] of numberParameters) {
    const value = given[name];
    if (typeof value === "number") put(doubleAttribute(`gen_ai.request.${key}`, value));
  }
  for (const [name, key] of integerParameters) {
    const value = given[name];
    if (Number.isSafeInteger(value)) put(integer(`gen_ai.request.${key}`, Number(value)));
  }
  const choices = given["n"];
  if (Number.isSafeInteger(choices) && choices !== 1) put(integer("gen_ai.request.choice.count", Number(choices)));
  const stops = toTexts(given["stop"] ?? given["stop_sequences"]);
  if (stops.length > 0) put(textsAttribute("gen_ai.request.stop_sequences", stops));
  const formats = toTexts(given["encoding_format"]);
  if (formats.length > 0) put(textsAttribute("gen_ai.request.encoding_formats", formats));
  const outputType = toOutputType(given["response_format"]);
  if (outputType !== null) put(textAttribute("gen_ai.output.type", outputType));
  if (record.stream) put(booleanAttribute("gen_ai.request.stream", true));
  return [...found.values()];
}

function toOutputType(format: Json | undefined): string | null {
  const type = isJsonObject(format) ? format["type"] : format;
  if (typeof type !== "string") return null;
  return type.startsWith("json") ? "json" : type === "text" ? "text" : null;
}

function responseAttributes(record: LogRecord): OtlpAttribute[] {
  const model = record.response?.["model"];
  const reasons = finishReasonsOf(record);
  const firstChunkMs = record.completionStartTimeMs - record.startTimeMs;
  return [
    ...(record.responseId === null ? [] : [textAttribute("gen_ai.response.id", record.responseId)]),
    ...(typeof model === "string" && model !== "" ? [textAttribute("gen_ai.response.model", model)] : []),
    ...(reasons.length === 0 ? [] : [textsAttribute("gen_ai.response.finish_reasons", reasons)]),
    ...(record.stream && record.status === "success" && firstChunkMs >= 0
      ? [doubleAttribute("gen_ai.response.time_to_first_chunk", firstChunkMs / 1000)]
      : []),
  ];
}

/** Why each choice ended, in the provider's words. */
export function finishReasonsOf(record: LogRecord): string[] {
  const choices = record.response?.["choices"];
  if (Array.isArray(choices)) {
    return choices.flatMap((choice) => toTexts(isJsonObject(choice) ? choice["finish_reason"] : undefined).slice(0, 1));
  }
  return toTexts(record.response?.["stop_reason"]).slice(0, 1);
}

/** Input tokens include the cached ones, output tokens the reasoning, as the conventions want it. */
function usageAttributes(record: LogRecord, integer: NumberAttribute): OtlpAttribute[] {
  const { promptTokens, completionTokens, totalTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens } =
    record.usage;
  if (promptTokens + completionTokens + totalTokens === 0) return [];
  const optional = (key: string, value: number): OtlpAttribute[] => (value > 0 ? [integer(key, value)] : []);
  return [
    integer("gen_ai.usage.input_tokens", promptTokens),
    integer("gen_ai.usage.output_tokens", completionTokens),
    ...optional("gen_ai.usage.cache_read.input_tokens", cacheReadTokens),
    ...optional("gen_ai.usage.cache_creation.input_tokens", cacheWriteTokens),
    ...optional("gen_ai.usage.reasoning.output_tokens", reasoningTokens),
  ];
}

function serverAttributes(record: LogRecord, integer: NumberAttribute): OtlpAttribute[] {
  const url = record.apiBase === null ? null : URL.parse(record.apiBase);
  if (url === null || url.hostname === "") return [];
  const port = url.port === "" ? (url.protocol === "http:" ? 80 : 443) : Number(url.port);
  return [textAttribute("server.address", url.hostname), integer("server.port", port)];
}

function toTexts(value: Json | undefined): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((item) => typeof item === "string");
}
