import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  SharedV4ProviderOptions,
} from "@ai-sdk/provider";
import { z } from "zod";
import type { ChatRequest, RequestRules } from "#gateway/translation/chat-request.ts";
import { toPrompt, type PromptWords } from "#gateway/translation/chat-prompt.ts";
import { refuseField } from "#gateway/translation/refuse-field.ts";
import { withoutUndefined } from "#lib/without-undefined.ts";
import { isJsonObject } from "#logging/record.ts";

/** How a vendor is spoken to. */
export type VendorWords = RequestRules &
  PromptWords & {
    /** False where no tool can be marked for the cache. */
    cachesTools: boolean;
    /** The vendor's own options for what the common ones have no word for. */
    options(request: ChatRequest): SharedV4ProviderOptions;
  };

const InputSchema = z.custom<LanguageModelV4FunctionTool["inputSchema"]>(isJsonObject);

/** A chat request as a provider takes it. Throws a 400 that names what has no equal there. */
export function toCallOptions(request: ChatRequest, words: VendorWords): LanguageModelV4CallOptions {
  return {
    prompt: toPrompt(request.messages, words),
    ...withoutUndefined({
      maxOutputTokens: request.max_completion_tokens ?? request.max_tokens,
      temperature: request.temperature,
      topP: request.top_p,
      topK: request.top_k,
      stopSequences: request.stop,
      seed: request.seed,
      frequencyPenalty: request.frequency_penalty,
      presencePenalty: request.presence_penalty,
      tools: request.tools?.map((tool, index) => toTool(tool, index, words)),
      toolChoice: toToolChoice(request.tool_choice),
      responseFormat: toResponseFormat(request.response_format),
      reasoning: request.reasoning_effort,
    }),
    providerOptions: words.options(request),
  };
}

function toTool(
  { function: described, cache_control: mark }: NonNullable<ChatRequest["tools"]>[number],
  index: number,
  words: VendorWords,
): LanguageModelV4FunctionTool {
  if (mark && !words.cachesTools) {
    const field = `tools.${index}.cache_control`;
    throw refuseField(field, `${field} cannot be translated for ${words.vendor}.`);
  }
  const { name, description, parameters = { type: "object", properties: {} }, strict } = described;
  return {
    type: "function",
    name,
    inputSchema: InputSchema.parse(parameters),
    ...(description === undefined ? {} : { description }),
    ...(strict === true ? { strict } : {}),
    ...(mark ? { providerOptions: words.cacheOptions(mark.ttl) } : {}),
  };
}

function toToolChoice(choice: ChatRequest["tool_choice"]): LanguageModelV4CallOptions["toolChoice"] {
  if (choice === undefined) return undefined;
  return typeof choice === "string" ? { type: choice } : { type: "tool", toolName: choice.function.name };
}

/** Any JSON at all is asked for with a schema that allows any object: providers know no JSON without one. */
function toResponseFormat(format: ChatRequest["response_format"]): LanguageModelV4CallOptions["responseFormat"] {
  if (format === undefined || format.type === "text") return undefined;
  if (format.type === "json_object") {
    return { type: "json", schema: { type: "object", properties: {}, additionalProperties: true } };
  }
  const { name, description, schema } = format.json_schema;
  return {
    type: "json",
    schema: InputSchema.parse(schema),
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
  };
}
