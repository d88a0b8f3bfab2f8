import type { LanguageModelV4, LanguageModelV4CallOptions, SharedV4Warning } from "@ai-sdk/provider";
import { refuseField } from "#gateway/translation/refuse-field.ts";
import { toRequestRefusal } from "#gateway/translation/provider-failure.ts";

/** The fields of OpenAI's request behind the names that libraries use. */
const fields: Readonly<Record<string, string>> = {
  maxOutputTokens: "max_tokens",
  temperature: "temperature",
  topP: "top_p",
  topK: "top_k",
  stopSequences: "stop",
  seed: "seed",
  frequencyPenalty: "frequency_penalty",
  presencePenalty: "presence_penalty",
  responseFormat: "response_format",
  reasoning: "reasoning_effort",
  toolChoice: "tool_choice",
  strict: "tools.function.strict",
};

/**
 * What a provider's library would leave out of a request without saying so to the vendor: a 400 that names it, or, with
 * `drops`, the fields that will be missing. Nothing is sent: the model's `fetch` must answer with an empty stream.
 */
export async function findLeftOut(
  model: LanguageModelV4,
  options: LanguageModelV4CallOptions,
  { words, drops }: { words: { vendor: string }; drops: boolean },
): Promise<string[]> {
  const dropped: string[] = [];
  for (const warning of await readWarnings(model, options)) {
    if (warning.type === "compatibility" || warning.type === "deprecated") continue;
    const field = warning.type === "unsupported" ? fields[warning.feature] : undefined;
    if (drops && field !== undefined) dropped.push(field);
    else
      throw refuseField(
        field ?? "messages",
        `${field ?? "The request"} cannot be translated for ${words.vendor}: ${reasonOf(warning)}`,
      );
  }
  return dropped;
}

async function readWarnings(
  model: LanguageModelV4,
  options: LanguageModelV4CallOptions,
): Promise<readonly SharedV4Warning[]> {
  try {
    const { stream } = await model.doStream(options);
    const reader = stream.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    if (value?.type === "stream-start") return value.warnings;
  } catch (thrown) {
    throw toRequestRefusal(thrown);
  }
  throw new Error(`The library of ${model.provider} does not begin its stream with what it left out.`);
}

function reasonOf(warning: Exclude<SharedV4Warning, { type: "compatibility" | "deprecated" }>): string {
  return warning.type === "other" ? warning.message : (warning.details ?? `${warning.feature} is not supported`);
}
