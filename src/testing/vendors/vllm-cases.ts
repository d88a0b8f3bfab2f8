import { done, makeWire, toErrorCases, toFrames, type PassedOnVendor } from "#testing/vendors/passed-on-case.ts";
import { weatherTool } from "#testing/vendors/vendor-case.ts";

const page = "https://docs.vllm.ai/en/stable/serving/openai_compatible_server.html";
const toolsPage = "https://docs.vllm.ai/en/stable/features/tool_calling.html";
const reasoningPage = "https://docs.vllm.ai/en/stable/features/reasoning_outputs.html";

const { whole, chunk, last } = makeWire({
  id: "chatcmpl-adecb7c1879daa3b",
  created: 1_775_919_919,
  model: "Qwen/Qwen3-8B",
});
const usage = { prompt_tokens: 12, total_tokens: 17, completion_tokens: 5, prompt_tokens_details: null };
const counted = { promptTokens: 12, completionTokens: 5, totalTokens: 17 };
const usageFrame = toFrames([last({ usage })]);
const call = { name: "get_weather", arguments: '{"location": "Dallas"}' };
const server = { service_tier: null, system_fingerprint: null, prompt_logprobs: null, kv_transfer_params: null };
const fault = { message: "Extra data: line 1 column 4", type: "BadRequestError", param: null, code: 400 };
const bare = { object: "error", ...fault };

/** A server of vLLM, of today and of the versions that send their errors bare. */
export const vllmCases: PassedOnVendor = {
  name: "hosted_vllm/",
  params: { model: "hosted_vllm/Qwen/Qwen3-8B", api_key: "token-abc123" },
  base: "/v1",
  sent: {
    path: "/v1/chat/completions",
    headers: { authorization: "Bearer token-abc123" },
    model: "Qwen/Qwen3-8B",
  },
  asksForUsage: true,
  cases: [
    {
      feature: "text",
      name: "an answer, with parameters of the server's own",
      page,
      request: {
        top_k: 20,
        min_tokens: 1,
        guided_choice: ["yes", "no"],
        chat_template_kwargs: { enable_thinking: false },
      },
      upstream: {
        body: whole(
          {
            message: { role: "assistant", content: "yes", refusal: null, tool_calls: [], reasoning_content: null },
            logprobs: null,
            finish_reason: "stop",
            stop_reason: null,
          },
          { ...server, usage },
        ),
      },
      logged: { choice: { message: { content: "yes" }, finish_reason: "stop" }, usage: counted },
    },
    {
      feature: "stream",
      name: "a stream",
      page,
      request: { stream: true },
      upstream: {
        body:
          toFrames([
            chunk({ role: "assistant", content: "" }, { logprobs: null }),
            chunk({ content: "yes" }, { logprobs: null }),
            chunk({ content: "" }, { logprobs: null, finish_reason: "stop", stop_reason: null }),
          ]) +
          usageFrame +
          done,
      },
      usageFrame,
      logged: { choice: { message: { content: "yes" }, finish_reason: "stop" }, usage: counted },
    },
    {
      feature: "tools",
      name: "a tool call",
      page: toolsPage,
      request: { tools: [weatherTool], tool_choice: "required" },
      upstream: {
        body: whole(
          {
            message: {
              role: "assistant",
              content: null,
              tool_calls: [{ id: "chatcmpl-tool-a494943accbbc022", type: "function", function: call }],
            },
            finish_reason: "tool_calls",
          },
          { ...server, usage },
        ),
      },
      logged: { choice: { message: { tool_calls: [{ function: call }] } }, usage: counted },
    },
    {
      feature: "tools",
      name: "a streamed tool call, its arguments in pieces",
      page: toolsPage,
      request: { stream: true, tools: [weatherTool] },
      upstream: {
        body:
          toFrames([
            chunk({ role: "assistant", content: "" }),
            chunk({
              tool_calls: [
                { id: "chatcmpl-tool-a494943accbbc022", type: "function", index: 0, function: { name: "get_weather" } },
              ],
            }),
            chunk({ tool_calls: [{ index: 0, function: { arguments: '{"location": ' } }] }),
            chunk({ tool_calls: [{ index: 0, function: { arguments: '"Dallas"}' } }] }),
            chunk({ content: "" }, { finish_reason: "tool_calls", stop_reason: null }),
          ]) +
          usageFrame +
          done,
      },
      usageFrame,
      logged: {
        choice: { message: { tool_calls: [{ function: call }] }, finish_reason: "tool_calls" },
        usage: counted,
      },
    },
    {
      feature: "reasoning",
      name: "streamed thoughts",
      page: reasoningPage,
      request: { stream: true },
      upstream: {
        body:
          toFrames([
            chunk({ role: "assistant", content: "" }),
            chunk({ reasoning_content: "9.11 or " }),
            chunk({ reasoning_content: "9.8?" }),
            chunk({ content: "9.8" }),
            chunk({ content: "" }, { finish_reason: "stop", stop_reason: null }),
          ]) +
          usageFrame +
          done,
      },
      usageFrame,
      logged: { choice: { message: { content: "9.8", reasoning_content: "9.11 or 9.8?" } }, usage: counted },
    },
    ...toErrorCases(page, [
      { status: 400, type: "BadRequestError", message: fault.message, body: { error: fault } },
      { status: 400, type: "BadRequestError", message: fault.message, body: bare },
      { status: 401, message: "Unauthorized", body: { error: "Unauthorized" } },
      {
        status: 404,
        type: "NotFoundError",
        message: "The model `x` does not exist.",
        body: { error: { message: "The model `x` does not exist.", type: "NotFoundError", param: "model", code: 404 } },
      },
      {
        status: 500,
        type: "InternalServerError",
        message: "EngineCore encountered an issue.",
        body: {
          error: { message: "EngineCore encountered an issue.", type: "InternalServerError", param: null, code: 500 },
        },
      },
    ]),
    ...[
      { name: "an error in the middle of a stream", frame: { error: fault } },
      { name: "a bare error in the middle of a stream", frame: bare },
    ].map(({ name, frame }) => ({
      feature: "broken" as const,
      name,
      page,
      request: { stream: true },
      upstream: { body: toFrames([chunk({ role: "assistant", content: "ye" }), frame]) + done },
      failure: { status: 400, type: "BadRequestError", message: fault.message },
    })),
  ],
};
