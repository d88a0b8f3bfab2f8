import { done, makeWire, toErrorCases, toFrames, type PassedOnVendor } from "#testing/vendors/passed-on-case.ts";
import { weatherTool } from "#testing/vendors/vendor-case.ts";

const page = "https://console.groq.com/docs/api-reference";
const toolsPage = "https://console.groq.com/docs/tool-use";
const reasoningPage = "https://console.groq.com/docs/reasoning";
const cachePage = "https://console.groq.com/docs/prompt-caching";
const errorsPage = "https://console.groq.com/docs/errors";

const { whole, chunk, last } = makeWire({
  id: "chatcmpl-f51b2cd2-bef7-417e-964e-a08f0b513c22",
  created: 1_730_241_104,
  model: "openai/gpt-oss-20b",
  system_fingerprint: "fp_179b0f92c9",
});
const usage = {
  ...{ queue_time: 0.037493756, prompt_tokens: 18, prompt_time: 0.000680594 },
  ...{ completion_tokens: 6, completion_time: 0.013977272, total_tokens: 24, total_time: 0.014657866 },
};
const counted = { promptTokens: 18, completionTokens: 6, totalTokens: 24 };
const x_groq = { id: "req_01jbd6g2qdfw2adyrt2az8hz4w" };
const usageFrame = toFrames([last({ usage })]);
const call = { name: "get_weather", arguments: '{"location":"Oslo"}' };
const toolCalls = [{ id: "call_d5wg", type: "function", function: call }];

/** Groq's API. The last chunk of a stream has its usage in `x_groq`, whoever asked for it. */
export const groqCases: PassedOnVendor = {
  name: "groq/",
  params: { model: "groq/openai/gpt-oss-20b", api_key: "gsk_fixture" },
  base: "/openai/v1",
  sent: {
    path: "/openai/v1/chat/completions",
    headers: { authorization: "Bearer gsk_fixture" },
    model: "openai/gpt-oss-20b",
  },
  asksForUsage: true,
  cases: [
    {
      feature: "text",
      name: "an answer with its times",
      page,
      upstream: {
        body: whole(
          { message: { role: "assistant", content: "Low latency." }, logprobs: null, finish_reason: "stop" },
          { usage, usage_breakdown: null, x_groq, service_tier: "on_demand" },
        ),
      },
      logged: { choice: { message: { content: "Low latency." }, finish_reason: "stop" }, usage: counted },
    },
    {
      feature: "stream",
      name: "a stream with its usage twice",
      page,
      request: { stream: true },
      upstream: {
        body:
          toFrames([
            chunk({ role: "assistant", content: "" }, { logprobs: null }, { x_groq }),
            chunk({ content: "Low" }, { logprobs: null }),
            chunk({ content: " latency." }, { logprobs: null }),
            chunk({}, { logprobs: null, finish_reason: "stop" }, { x_groq: { ...x_groq, usage } }),
          ]) +
          usageFrame +
          done,
      },
      usageFrame,
      logged: { choice: { message: { content: "Low latency." }, finish_reason: "stop" }, usage: counted },
    },
    {
      feature: "tools",
      name: "a tool call",
      page: toolsPage,
      request: { tools: [weatherTool] },
      upstream: {
        body: whole(
          { message: { role: "assistant", tool_calls: toolCalls }, finish_reason: "tool_calls" },
          { usage, x_groq },
        ),
      },
      logged: { choice: { message: { tool_calls: toolCalls } }, usage: counted },
    },
    {
      feature: "tools",
      name: "a streamed tool call, which comes whole",
      page: toolsPage,
      request: { stream: true, tools: [weatherTool] },
      upstream: {
        body:
          toFrames([
            chunk({ role: "assistant", content: null }, {}, { x_groq }),
            chunk({ tool_calls: [{ ...toolCalls[0], index: 0 }] }),
            chunk({}, { finish_reason: "tool_calls" }, { x_groq: { ...x_groq, usage } }),
          ]) +
          usageFrame +
          done,
      },
      usageFrame,
      logged: { choice: { message: { tool_calls: toolCalls }, finish_reason: "tool_calls" }, usage: counted },
    },
    {
      feature: "reasoning",
      name: "thoughts beside the content",
      page: reasoningPage,
      request: { reasoning_format: "parsed", reasoning_effort: "low" },
      upstream: {
        body: whole(
          { message: { role: "assistant", content: "Three.", reasoning: "Count the letters." }, finish_reason: "stop" },
          { usage, x_groq },
        ),
      },
      logged: { choice: { message: { content: "Three.", reasoning: "Count the letters." } } },
    },
    {
      feature: "reasoning",
      name: "streamed thoughts",
      page: reasoningPage,
      request: { stream: true, reasoning_format: "parsed" },
      upstream: {
        body:
          toFrames([
            chunk({ role: "assistant", reasoning: "Count " }, {}, { x_groq }),
            chunk({ reasoning: "the letters.", channel: "analysis" }),
            chunk({ content: "Three." }),
            chunk({}, { finish_reason: "stop" }, { x_groq: { ...x_groq, usage } }),
          ]) +
          usageFrame +
          done,
      },
      usageFrame,
      logged: { choice: { message: { content: "Three.", reasoning: "Count the letters." } }, usage: counted },
    },
    {
      feature: "cache",
      name: "a prompt that was read from the cache",
      page: cachePage,
      upstream: {
        body: whole(
          { message: { role: "assistant", content: "Again." }, finish_reason: "stop" },
          { usage: { ...usage, prompt_tokens_details: { cached_tokens: 12 } }, x_groq },
        ),
      },
      logged: { choice: {}, usage: { ...counted, cacheReadTokens: 12 } },
    },
    ...toErrorCases(errorsPage, [
      {
        status: 400,
        type: "invalid_request_error",
        message: "Failed to call a function.",
        body: {
          error: {
            message: "Failed to call a function. Please adjust your prompt.",
            type: "invalid_request_error",
            code: "tool_use_failed",
            failed_generation: "<tool-use>{",
          },
        },
      },
      ...(
        [
          [401, "invalid_request_error", "Invalid API Key"],
          [404, "invalid_request_error", "The model `x` does not exist or you do not have access to it."],
          [413, "tokens", "Request too large for model `openai/gpt-oss-20b` on tokens per minute (TPM)"],
          [422, "invalid_request_error", "The request could not be processed"],
          [429, "tokens", "Rate limit reached for model `openai/gpt-oss-20b` on tokens per minute (TPM)"],
          [498, "invalid_request_error", "Flex tier capacity exceeded"],
          [500, "internal_server_error", "Internal Server Error"],
          [503, "internal_server_error", "Service Unavailable"],
        ] as const
      ).map(([status, type, message]) => ({
        status,
        type,
        message,
        body: { error: { message, type } },
        ...(status === 429 ? { retryAfter: "2" } : {}),
      })),
    ]),
  ],
};
