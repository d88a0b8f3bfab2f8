import { expect, test } from "vitest";
import { toUsage } from "#gateway/usage.ts";
import { noUsage, type Json } from "#logging/record.ts";

test.each<[string, Json, object]>([
  [
    "a chat's",
    {
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
      prompt_tokens_details: { cached_tokens: 4 },
      completion_tokens_details: { reasoning_tokens: 2 },
    },
    { promptTokens: 10, completionTokens: 5, totalTokens: 15, cacheReadTokens: 4, reasoningTokens: 2 },
  ],
  [
    "the Responses API's",
    {
      input_tokens: 9,
      input_tokens_details: { cached_tokens: 3 },
      output_tokens: 6,
      output_tokens_details: { reasoning_tokens: 1 },
    },
    { promptTokens: 9, completionTokens: 6, totalTokens: 15, cacheReadTokens: 3, reasoningTokens: 1 },
  ],
  [
    "Anthropic's, which counts cached input beside the rest",
    { input_tokens: 11, cache_creation_input_tokens: 5, cache_read_input_tokens: 100, output_tokens: 7 },
    { promptTokens: 116, completionTokens: 7, totalTokens: 123, cacheReadTokens: 100, cacheWriteTokens: 5 },
  ],
  [
    "a chat's with sound in it",
    {
      ...{ prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
      prompt_tokens_details: { audio_tokens: 6, image_tokens: 3 },
      completion_tokens_details: { audio_tokens: 2, image_tokens: 1 },
    },
    {
      ...{ promptTokens: 10, completionTokens: 5, totalTokens: 15 },
      ...{ inputAudioTokens: 6, inputImageTokens: 3, outputAudioTokens: 2, outputImageTokens: 1 },
    },
  ],
  [
    "a transcription's",
    {
      ...{ type: "tokens", input_tokens: 14, output_tokens: 4, total_tokens: 18 },
      input_token_details: { text_tokens: 0, audio_tokens: 14 },
    },
    { promptTokens: 14, completionTokens: 4, totalTokens: 18, inputAudioTokens: 14 },
  ],
  ["a rerank's, which names the total alone", { total_tokens: 12 }, { promptTokens: 12, totalTokens: 12 }],
])("%s usage is counted", (_name, usage, counts) => {
  expect(toUsage(usage)).toEqual({ ...noUsage, ...counts });
});

test.each<[Json | undefined]>([[undefined], [null], ["10"], [[]], [{ prompt_tokens: "10", completion_tokens: -1 }]])(
  "%j counts nothing",
  (usage) => {
    expect(toUsage(usage)).toEqual(noUsage);
  },
);

test.each([1e15, 1e308, Infinity])("a usage with a count of %d says nothing, wherever it stands", (absurd) => {
  expect(toUsage({ prompt_tokens: absurd, completion_tokens: 1, total_tokens: 2 })).toEqual(noUsage);
  expect(toUsage({ input_tokens: 1, output_tokens: absurd })).toEqual(noUsage);
  expect(toUsage({ prompt_tokens: 1, prompt_tokens_details: { cached_tokens: absurd } })).toEqual(noUsage);
});
