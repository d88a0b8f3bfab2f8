import { done, makeWire, toErrorCases, toFrames, type PassedOnVendor } from "#testing/vendors/passed-on-case.ts";
import { weatherTool } from "#testing/vendors/vendor-case.ts";

const page = "https://platform.openai.com/docs/api-reference/chat/create";
const streamPage = "https://platform.openai.com/docs/api-reference/chat-streaming/streaming";
const errorsPage = "https://platform.openai.com/docs/guides/error-codes";

const { whole, chunk, last } = makeWire({
  id: "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
  created: 1_741_569_952,
  model: "gpt-5.4",
  service_tier: "default",
  system_fingerprint: null,
});
const usage = {
  prompt_tokens: 19,
  completion_tokens: 10,
  total_tokens: 29,
  prompt_tokens_details: { cached_tokens: 16, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 4, audio_tokens: 0, accepted_prediction_tokens: 0 },
};
const counted = { promptTokens: 19, completionTokens: 10, totalTokens: 29, cacheReadTokens: 16, reasoningTokens: 4 };
const usageFrame = toFrames([last({ usage })]);
const call = { name: "get_weather", arguments: '{"location":"Boston, MA"}' };

/** OpenAI's own wire, at an address that config.yaml names. */
export const openaiServerCases: PassedOnVendor = {
  name: "openai/",
  params: { model: "openai/gpt-5.4", api_key: "sk-fixture" },
  base: "/v1",
  sent: { path: "/v1/chat/completions", headers: { authorization: "Bearer sk-fixture" }, model: "gpt-5.4" },
  asksForUsage: true,
  cases: [
    {
      feature: "text",
      name: "an answer with all that OpenAI says of it",
      page,
      request: { temperature: 0.2, seed: 7, logprobs: true, user: "user-7" },
      upstream: {
        body: whole(
          {
            message: { role: "assistant", content: "Hello!", refusal: null, annotations: [] },
            logprobs: { content: [{ token: "Hello!", logprob: -0.31, bytes: [72], top_logprobs: [] }], refusal: null },
            finish_reason: "stop",
          },
          { usage },
        ),
      },
      logged: { choice: { message: { content: "Hello!" }, finish_reason: "stop" }, usage: counted },
    },
    {
      feature: "text",
      name: "a refusal of the model",
      page,
      upstream: {
        body: whole(
          { message: { role: "assistant", content: null, refusal: "I can't help." }, finish_reason: "stop" },
          { usage },
        ),
      },
      logged: { choice: { message: { refusal: "I can't help." } } },
    },
    {
      feature: "stream",
      name: "a stream with its usage behind it",
      page: streamPage,
      request: { stream: true },
      upstream: {
        body:
          toFrames([
            chunk({ role: "assistant", content: "", refusal: null }, { logprobs: null }, { usage: null }),
            chunk({ content: "Hel" }, { logprobs: null }, { usage: null, obfuscation: "x1" }),
            chunk({ content: "lo!" }, { logprobs: null }, { usage: null, obfuscation: "x22" }),
            chunk({}, { logprobs: null, finish_reason: "stop" }, { usage: null }),
          ]) +
          usageFrame +
          done,
      },
      usageFrame,
      logged: { choice: { message: { content: "Hello!" }, finish_reason: "stop" }, usage: counted },
    },
    {
      feature: "tools",
      name: "a tool call",
      page,
      request: { tools: [weatherTool], tool_choice: "auto" },
      upstream: {
        body: whole(
          {
            message: {
              role: "assistant",
              content: null,
              tool_calls: [{ id: "call_abc123", type: "function", function: call }],
            },
            logprobs: null,
            finish_reason: "tool_calls",
          },
          { usage },
        ),
      },
      logged: { choice: { message: { tool_calls: [{ id: "call_abc123", function: call }] } }, usage: counted },
    },
    {
      feature: "tools",
      name: "a streamed tool call, its arguments in pieces",
      page: streamPage,
      request: { stream: true, tools: [weatherTool] },
      upstream: {
        body:
          toFrames([
            chunk({
              role: "assistant",
              content: null,
              tool_calls: [
                { index: 0, id: "call_abc123", type: "function", function: { name: "get_weather", arguments: "" } },
              ],
            }),
            chunk({ tool_calls: [{ index: 0, function: { arguments: '{"location":' } }] }),
            chunk({ tool_calls: [{ index: 0, function: { arguments: '"Boston, MA"}' } }] }),
            chunk({}, { finish_reason: "tool_calls" }),
          ]) +
          usageFrame +
          done,
      },
      usageFrame,
      logged: {
        choice: { message: { tool_calls: [{ id: "call_abc123", function: call }] }, finish_reason: "tool_calls" },
        usage: counted,
      },
    },
    ...toErrorCases(
      errorsPage,
      (
        [
          [400, "invalid_request_error", "Invalid type for 'temperature': expected a decimal."],
          [401, "invalid_request_error", "Incorrect API key provided."],
          [403, "invalid_request_error", "Country, region, or territory not supported"],
          [404, "invalid_request_error", "The model `gpt-5.4` does not exist or you do not have access to it."],
          [429, "insufficient_quota", "You exceeded your current quota, please check your plan and billing details."],
          [500, "server_error", "The server had an error while processing your request"],
          [503, "server_error", "The engine is currently overloaded, please try again later"],
        ] as const
      ).map(([status, type, message]) => ({
        status,
        type,
        message,
        body: { error: { message, type, param: null, code: null } },
        ...(status === 429 ? { retryAfter: "7" } : {}),
      })),
    ),
    {
      feature: "broken",
      name: "an error in the middle of a stream",
      page: streamPage,
      request: { stream: true },
      upstream: {
        body: toFrames([
          chunk({ role: "assistant", content: "Hel" }),
          { error: { message: "The server had an error.", type: "server_error", param: null, code: null } },
        ]),
      },
      failure: { status: 500, type: "server_error", message: "The server had an error." },
    },
  ],
};
