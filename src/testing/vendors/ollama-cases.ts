import { done, makeWire, toErrorCases, toFrames, type PassedOnVendor } from "#testing/vendors/passed-on-case.ts";
import { weatherTool } from "#testing/vendors/vendor-case.ts";

const page = "https://docs.ollama.com/api/openai-compatibility";
const errorsPage = "https://docs.ollama.com/api/errors";

const { whole, chunk, last } = makeWire({
  id: "chatcmpl-174",
  created: 1_764_405_566,
  model: "qwen3:8b",
  system_fingerprint: "fp_ollama",
});
const usage = { prompt_tokens: 16, completion_tokens: 24, total_tokens: 40 };
const counted = { promptTokens: 16, completionTokens: 24, totalTokens: 40 };
const usageFrame = toFrames([last({ usage })]);
const call = { name: "get_weather", arguments: '{"location":"Hilo"}' };
const toolCalls = [{ id: "call_mmmf8pcj", index: 0, type: "function", function: call }];

/** Ollama's endpoint in OpenAI's form. It needs no key. */
export const ollamaCases: PassedOnVendor = {
  name: "ollama/",
  params: { model: "ollama/qwen3:8b" },
  base: "/v1",
  sent: { path: "/v1/chat/completions", headers: {}, model: "qwen3:8b" },
  asksForUsage: true,
  cases: [
    {
      feature: "text",
      name: "an answer",
      page,
      upstream: {
        body: whole({ message: { role: "assistant", content: "Aloha!" }, finish_reason: "stop" }, { usage }),
      },
      logged: { choice: { message: { content: "Aloha!" }, finish_reason: "stop" }, usage: counted },
    },
    {
      feature: "stream",
      name: "a stream",
      page,
      request: { stream: true },
      upstream: {
        body:
          toFrames([
            chunk({ role: "assistant", content: "Alo" }),
            chunk({ role: "assistant", content: "ha!" }),
            chunk({ role: "assistant", content: "" }, { finish_reason: "stop" }),
          ]) +
          usageFrame +
          done,
      },
      usageFrame,
      logged: { choice: { message: { content: "Aloha!" }, finish_reason: "stop" }, usage: counted },
    },
    {
      feature: "tools",
      name: "a tool call",
      page,
      request: { tools: [weatherTool] },
      upstream: {
        body: whole(
          { message: { role: "assistant", content: "", tool_calls: toolCalls }, finish_reason: "tool_calls" },
          { usage },
        ),
      },
      logged: { choice: { message: { tool_calls: toolCalls } }, usage: counted },
    },
    {
      feature: "tools",
      name: "a streamed tool call, which comes whole",
      page,
      request: { stream: true, tools: [weatherTool] },
      upstream: {
        body:
          toFrames([
            chunk({ role: "assistant", content: "", tool_calls: toolCalls }),
            chunk({ role: "assistant", content: "" }, { finish_reason: "tool_calls" }),
          ]) +
          usageFrame +
          done,
      },
      usageFrame,
      logged: {
        choice: { message: { tool_calls: [{ id: "call_mmmf8pcj", function: call }] }, finish_reason: "tool_calls" },
        usage: counted,
      },
    },
    {
      feature: "reasoning",
      name: "streamed thoughts",
      page,
      request: { stream: true, reasoning_effort: "low" },
      upstream: {
        body:
          toFrames([
            chunk({ role: "assistant", content: "", reasoning: "A greet" }),
            chunk({ role: "assistant", content: "", reasoning: "ing." }),
            chunk({ role: "assistant", content: "Aloha!" }),
            chunk({ role: "assistant", content: "" }, { finish_reason: "stop" }),
          ]) +
          usageFrame +
          done,
      },
      usageFrame,
      logged: { choice: { message: { content: "Aloha!", reasoning: "A greeting." } }, usage: counted },
    },
    ...toErrorCases(errorsPage, [
      ...(
        [
          [400, "invalid_request_error", "invalid message content type: <nil>"],
          [404, "not_found_error", "model 'qwen3:8b' not found"],
          [500, "api_error", "an error was encountered while running the model"],
        ] as const
      ).map(([status, type, message]) => ({
        status,
        type,
        message,
        body: { error: { message, type, param: null, code: null } },
      })),
      { status: 401, body: { error: "unauthorized" }, message: "unauthorized" },
    ]),
  ],
};
