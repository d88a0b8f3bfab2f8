import { done, makeWire, toErrorCases, toFrames, type PassedOnVendor } from "#testing/vendors/passed-on-case.ts";
import { weatherTool } from "#testing/vendors/vendor-case.ts";

const page = "https://openrouter.ai/docs/api-reference/overview";
const streamPage = "https://openrouter.ai/docs/api-reference/streaming";
const toolsPage = "https://openrouter.ai/docs/features/tool-calling";
const reasoningPage = "https://openrouter.ai/docs/use-cases/reasoning-tokens";
const errorsPage = "https://openrouter.ai/docs/api-reference/errors";

const { whole, chunk } = makeWire({
  id: "gen-1779358422-LrEwL8SmYSWNlAzrHKq2",
  created: 1_779_358_422,
  model: "deepseek/deepseek-r1",
  provider: "DeepInfra",
});
const usage = {
  ...{ prompt_tokens: 9, completion_tokens: 10, total_tokens: 19, cost: 0.00000735, is_byok: false },
  prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 },
  completion_tokens_details: { reasoning_tokens: 6 },
};
const counted = {
  ...{ promptTokens: 9, completionTokens: 10, totalTokens: 19 },
  ...{ cacheReadTokens: 4, cacheWriteTokens: 2, reasoningTokens: 6 },
};
const keepAlive = ": OPENROUTER PROCESSING\n\n";
const call = { name: "get_weather", arguments: '{"location":"Lima"}' };
const toolCalls = [{ id: "call_9QXzKj", type: "function", function: call }];
const native = (reason: string) => ({ finish_reason: reason, native_finish_reason: reason });
const details = [{ type: "reasoning.text", text: "The user greets.", format: null, index: 0 }];

/** OpenRouter's API. The last chunk of a stream has the usage, and a choice too; comments keep the connection alive. */
export const openrouterCases: PassedOnVendor = {
  name: "openrouter/",
  params: { model: "openrouter/deepseek/deepseek-r1", api_key: "sk-or-fixture" },
  base: "/api/v1",
  sent: {
    path: "/api/v1/chat/completions",
    headers: { authorization: "Bearer sk-or-fixture" },
    model: "deepseek/deepseek-r1",
  },
  asksForUsage: true,
  cases: [
    {
      feature: "text",
      name: "an answer, with OpenRouter's own parameters",
      page,
      request: { provider: { order: ["deepinfra"] }, transforms: ["middle-out"], models: ["a/b"] },
      upstream: {
        body: whole(
          { message: { role: "assistant", content: "Hello!", refusal: null, reasoning: null }, ...native("stop") },
          { usage },
        ),
      },
      logged: { choice: { message: { content: "Hello!" }, finish_reason: "stop" }, usage: counted },
    },
    {
      feature: "stream",
      name: "a stream with comments in it",
      page: streamPage,
      request: { stream: true },
      upstream: {
        body:
          keepAlive +
          keepAlive +
          toFrames([chunk({ role: "assistant", content: "Hel" })]) +
          keepAlive +
          toFrames([
            chunk({ role: "assistant", content: "lo!" }),
            chunk({ role: "assistant", content: "" }, native("stop")),
            chunk({ role: "assistant", content: "" }, {}, { usage }),
          ]) +
          done,
      },
      logged: { choice: { message: { content: "Hello!" }, finish_reason: "stop" }, usage: counted },
    },
    {
      feature: "tools",
      name: "a tool call",
      page: toolsPage,
      request: { tools: [weatherTool] },
      upstream: {
        body: whole(
          { message: { role: "assistant", content: "", tool_calls: toolCalls }, ...native("tool_calls") },
          { usage },
        ),
      },
      logged: { choice: { message: { tool_calls: toolCalls } }, usage: counted },
    },
    {
      feature: "tools",
      name: "a streamed tool call, its arguments in pieces",
      page: toolsPage,
      request: { stream: true, tools: [weatherTool] },
      upstream: {
        body:
          toFrames([
            chunk({
              role: "assistant",
              content: null,
              tool_calls: [{ index: 0, id: "call_9QXzKj", type: "function", function: { ...call, arguments: "" } }],
            }),
            chunk({ tool_calls: [{ index: 0, type: "function", function: { arguments: '{"location":' } }] }),
            chunk({ tool_calls: [{ index: 0, type: "function", function: { arguments: '"Lima"}' } }] }),
            chunk({ content: "" }, native("tool_calls"), { usage }),
          ]) + done,
      },
      logged: { choice: { message: { tool_calls: toolCalls }, finish_reason: "tool_calls" }, usage: counted },
    },
    {
      feature: "reasoning",
      name: "thoughts and their details",
      page: reasoningPage,
      request: { reasoning: { effort: "high" } },
      upstream: {
        body: whole(
          {
            message: { role: "assistant", content: "Hi!", reasoning: "The user greets.", reasoning_details: details },
            ...native("stop"),
          },
          { usage },
        ),
      },
      logged: { choice: { message: { content: "Hi!", reasoning: "The user greets." } }, usage: counted },
    },
    {
      feature: "reasoning",
      name: "streamed thoughts",
      page: reasoningPage,
      request: { stream: true },
      upstream: {
        body:
          toFrames([
            chunk({ role: "assistant", content: "", reasoning: "The user ", reasoning_details: details }),
            chunk({ role: "assistant", content: "", reasoning: "greets.", reasoning_details: details }),
            chunk({ role: "assistant", content: "Hi!" }),
            chunk({ role: "assistant", content: "" }, native("stop"), { usage }),
          ]) + done,
      },
      logged: { choice: { message: { content: "Hi!", reasoning: "The user greets." } }, usage: counted },
    },
    ...toErrorCases(
      errorsPage,
      (
        [
          [400, "deepseek/x is not a valid model ID"],
          [401, "No auth credentials found"],
          [402, "Insufficient credits"],
          [403, "Your input was flagged"],
          [408, "Your request timed out"],
          [429, "Rate limit exceeded"],
          [502, "Provider returned error"],
          [503, "No available model provider meets your routing requirements"],
        ] as const
      ).map(([code, message]) => ({
        status: code,
        message,
        body: { error: { code, message, metadata: { provider_name: "DeepInfra", raw: "{}" } }, user_id: "user_2z" },
        ...(code === 429 ? { retryAfter: "3" } : {}),
      })),
    ),
    {
      feature: "broken",
      name: "an error in an answer that began as a success",
      page: errorsPage,
      upstream: {
        body: JSON.stringify({ error: { code: 502, message: "Provider returned error" }, user_id: "user_2z" }),
      },
      failure: { status: 502, message: "Provider returned error" },
    },
    {
      feature: "broken",
      name: "an error in the middle of a stream",
      page: streamPage,
      request: { stream: true },
      upstream: {
        body: toFrames([
          chunk({ role: "assistant", content: "Hel" }),
          chunk(
            { content: "" },
            { finish_reason: "error" },
            { error: { code: "server_error", message: "Provider disconnected unexpectedly" } },
          ),
        ]),
      },
      failure: { status: 500, message: "Provider disconnected unexpectedly" },
    },
  ],
};
