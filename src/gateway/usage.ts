import { isJsonObject, noUsage, type Json, type JsonObject, type RecordUsage } from "#logging/record.ts";

/**
 * An upstream's usage object as counts; whatever is missing or no number is 0. Reads OpenAI's two forms and Anthropic's,
 * which counts cached input beside the rest of it. An object with an absurd count says nothing at all, so that the call is
 * estimated: it would use up every budget for good.
 */
export function toUsage(usage: Json | undefined): RecordUsage {
  if (!isJsonObject(usage) || isAbsurd(usage)) return noUsage;
  // Transcriptions have it in the singular.
  const prompt = detailsOf(usage.prompt_tokens_details ?? usage.input_tokens_details ?? usage.input_token_details);
  const completion = detailsOf(usage.completion_tokens_details ?? usage.output_tokens_details);
  const cacheRead = count(usage.cache_read_input_tokens);
  const cacheWrite = count(usage.cache_creation_input_tokens);
  const completionTokens = count(usage.completion_tokens) || count(usage.output_tokens);
  const totalTokens = count(usage.total_tokens);
  const promptTokens =
    count(usage.prompt_tokens) ||
    count(usage.input_tokens) + cacheRead + cacheWrite ||
    // Some embeddings and reranks name nothing but the total.
    (completionTokens === 0 ? totalTokens : 0);
  return {
    promptTokens,
    completionTokens,
    totalTokens: totalTokens || promptTokens + completionTokens,
    cacheReadTokens: count(prompt.cached_tokens) || cacheRead,
    cacheWriteTokens: count(prompt.cache_write_tokens) || cacheWrite,
    reasoningTokens: count(completion.reasoning_tokens),
    ...countedAs("inputAudioTokens", prompt.audio_tokens),
    ...countedAs("outputAudioTokens", completion.audio_tokens),
    ...countedAs("inputImageTokens", prompt.image_tokens),
    ...countedAs("outputImageTokens", completion.image_tokens),
  };
}

const noCount: Partial<RecordUsage> = {};

function countedAs(name: keyof RecordUsage, value: Json | undefined): Partial<RecordUsage> {
  const tokens = count(value);
  return tokens === 0 ? noCount : { [name]: tokens };
}

const noDetails: Readonly<Record<string, Json>> = {};

function detailsOf(value: Json | undefined): Readonly<Record<string, Json>> {
  return isJsonObject(value) ? value : noDetails;
}

/** No call has more tokens: the largest context of any model, fifty times. A larger number is a mistake of the upstream. */
const tokensMax = 500_000_000;

function isAbsurd(usage: JsonObject): boolean {
  return Object.values(usage).some((value) => (isJsonObject(value) ? isAbsurd(value) : isTooLarge(value)));
}

function isTooLarge(value: Json): boolean {
  return typeof value === "number" && value > tokensMax;
}

function count(value: Json | undefined): number {
  return typeof value === "number" && value > 0 ? Math.floor(value) : 0;
}
