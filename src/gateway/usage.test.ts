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
])("%s usage is counted", (_name, usage, counts) => {
  expect(toUsage(usage)).toEqual({ ...noUsage, ...counts });
});

test.each<[Json | undefined]>([[undefined], [null], ["10"], [[]], [{ prompt_tokens: "10", completion_tokens: -1 }]])(
  "%j counts nothing",
  (usage) => {
    expect(toUsage(usage)).toEqual(noUsage);
  },
);
