import { done, makeWire, toErrorCases, toFrames, type PassedOnVendor } from "#testing/vendors/passed-on-case.ts";
import { weatherTool } from "#testing/vendors/vendor-case.ts";

const page = "https://docs.mistral.ai/api/endpoint/chat";
const toolsPage = "https://docs.mistral.ai/capabilities/function_calling";
const reasoningPage = "https://docs.mistral.ai/capabilities/reasoning";

const { whole, chunk } = makeWire({
  id: "7cbd8962041442459eb3636e1e3cbf10",
  created: 1_721_403_550,
  model: "mistral-small-latest",
});
const usage = { prompt_tokens: 16, total_tokens: 50, completion_tokens: 34 };
const counted = { promptTokens: 16, completionTokens: 34, totalTokens: 50 };
const call = { name: "get_weather", arguments: '{"location": "Paris"}' };
const toolCalls = [{ id: "D681PevKs", function: call, index: 0 }];
const forbidden = {
  detail: [{ type: "extra_forbidden", loc: ["body", "logit_bias"], msg: "Extra inputs are not permitted" }],
};
const thinking = { type: "thinking", thinking: [{ type: "text", text: "Let me count." }] };

/** Mistral's API. Its streams carry their usage in the last chunk, which has a choice too. */
export const mistralCases: PassedOnVendor = {
  name: "mistral/",
  params: { model: "mistral/mistral-small-latest", api_key: "mistral-fixture" },
  base: "/v1",
  sent: {
    path: "/v1/chat/completions",
    headers: { authorization: "Bearer mistral-fixture" },
    model: "mistral-small-latest",
  },
  asksForUsage: false,
  cases: [
    {
      feature: "text",
      name: "an answer",
      page,
      request: { safe_prompt: true, random_seed: 7 },
      upstream: {
        body: whole(
          {
            message: { role: "assistant", content: "Claude Monet.", tool_calls: null, prefix: false },
            finish_reason: "stop",
          },
          { usage },
        ),
      },
      logged: { choice: { message: { content: "Claude Monet." }, finish_reason: "stop" }, usage: counted },
    },
    {
      feature: "stream",
      name: "a stream with its usage in the last chunk",
      page,
      request: { stream: true },
      upstream: {
        body:
          toFrames([
            chunk({ role: "assistant", content: "" }),
            chunk({ content: "Claude" }),
            chunk({ content: " Monet." }),
            chunk({ content: "" }, { finish_reason: "stop" }, { usage }),
          ]) + done,
      },
      logged: { choice: { message: { content: "Claude Monet." }, finish_reason: "stop" }, usage: counted },
    },
    {
      feature: "tools",
      name: "a tool call",
      page: toolsPage,
      request: { tools: [weatherTool], tool_choice: "any", parallel_tool_calls: false },
      upstream: {
        body: whole(
          {
            finish_reason: "tool_calls",
            message: { content: "", tool_calls: toolCalls, prefix: false, role: "assistant" },
          },
          { usage },
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
            chunk({ role: "assistant", content: "" }),
            chunk({ content: "", tool_calls: toolCalls }, { finish_reason: "tool_calls" }, { usage }),
          ]) + done,
      },
      logged: {
        choice: { message: { tool_calls: [{ id: "D681PevKs", function: call }] }, finish_reason: "tool_calls" },
        usage: counted,
      },
    },
    {
      feature: "reasoning",
      name: "thoughts as a part of the content",
      page: reasoningPage,
      request: { prompt_mode: "reasoning" },
      upstream: {
        body: whole(
          {
            message: { role: "assistant", content: [thinking, { type: "text", text: "Four." }] },
            finish_reason: "stop",
          },
          { usage },
        ),
      },
      logged: { choice: { message: { content: [thinking, { type: "text", text: "Four." }] } }, usage: counted },
    },
    {
      feature: "reasoning",
      name: "streamed thoughts",
      page: reasoningPage,
      request: { stream: true },
      upstream: {
        body:
          toFrames([
            chunk({
              role: "assistant",
              content: [{ type: "thinking", thinking: [{ type: "text", text: "Let me " }] }],
            }),
            chunk({ content: [{ type: "thinking", thinking: [{ type: "text", text: "count." }] }] }),
            chunk({ content: "Four." }),
            chunk({ content: "" }, { finish_reason: "stop" }, { usage }),
          ]) + done,
      },
      logged: { choice: { message: { content: "Four.", reasoning_content: "Let me count." } }, usage: counted },
    },
    ...toErrorCases(page, [
      { status: 401, body: { detail: "Unauthorized" }, message: "Unauthorized" },
      {
        status: 422,
        type: "invalid_request_error",
        body: { object: "error", message: forbidden, type: "invalid_request_error", param: null, code: null },
        message: "Extra inputs are not permitted",
      },
      {
        status: 429,
        type: "service_tier_capacity_exceeded",
        body: {
          object: "error",
          message: "Service tier capacity exceeded for this model.",
          type: "service_tier_capacity_exceeded",
          param: null,
          code: "3505",
        },
        message: "Service tier capacity exceeded for this model.",
      },
      {
        status: 503,
        type: "unreachable_backend",
        body: {
          object: "error",
          message: "Service unavailable.",
          type: "unreachable_backend",
          param: null,
          code: "1100",
        },
        message: "Service unavailable.",
      },
    ]),
  ],
};
