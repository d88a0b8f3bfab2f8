import { done, makeWire, toErrorCases, toFrames, type PassedOnVendor } from "#testing/vendors/passed-on-case.ts";
import { weatherTool } from "#testing/vendors/vendor-case.ts";

const page = "https://ai.google.dev/gemini-api/docs/openai";
const signaturePage = "https://ai.google.dev/gemini-api/docs/thought-signatures";
const errorsPage = "https://ai.google.dev/gemini-api/docs/troubleshooting";

const { whole, chunk, last } = makeWire({ id: "8wYhacmWIZ-B1PIP", created: 1_763_772_147, model: "gemini-2.5-flash" });
/** The whole is more than both parts, by what the model thought. */
const usage = { prompt_tokens: 8, completion_tokens: 9, total_tokens: 70 };
const counted = { promptTokens: 8, completionTokens: 9, totalTokens: 70 };
const usageFrame = toFrames([last({ usage })]);
const call = { name: "get_weather", arguments: '{"location":"Chicago, IL"}' };
const signature = { google: { thought_signature: "CpcBAVSoXO4" } };
const toolCalls = [{ extra_content: signature, function: call, id: "function-call-123", type: "function" }];

/** Google's endpoint in OpenAI's form: Gemini's API; that of Vertex AI has the same wire. */
export const geminiCases: PassedOnVendor = {
  name: "gemini/",
  params: { model: "gemini/gemini-2.5-flash", api_key: "AIza-fixture" },
  base: "/v1beta/openai",
  sent: {
    path: "/v1beta/openai/chat/completions",
    headers: { authorization: "Bearer AIza-fixture" },
    model: "gemini-2.5-flash",
  },
  asksForUsage: true,
  cases: [
    {
      feature: "text",
      name: "an answer",
      page,
      request: { reasoning_effort: "low" },
      upstream: {
        body: whole({ finish_reason: "stop", message: { content: "Patterns.", role: "assistant" } }, { usage }),
      },
      logged: { choice: { message: { content: "Patterns." }, finish_reason: "stop" }, usage: counted },
    },
    {
      feature: "stream",
      name: "a stream",
      page,
      request: { stream: true },
      upstream: {
        body:
          toFrames([
            chunk({ content: "Pat", role: "assistant" }),
            chunk({ content: "terns.", role: "assistant" }, { finish_reason: "stop" }),
          ]) +
          usageFrame +
          done,
      },
      usageFrame,
      logged: { choice: { message: { content: "Patterns." }, finish_reason: "stop" }, usage: counted },
    },
    {
      feature: "tools",
      name: "a tool call with its signature",
      page: signaturePage,
      request: { tools: [weatherTool], tool_choice: "auto" },
      upstream: {
        body: whole({ finish_reason: "tool_calls", message: { role: "assistant", tool_calls: toolCalls } }, { usage }),
      },
      logged: { choice: { message: { tool_calls: toolCalls } }, usage: counted },
    },
    {
      feature: "tools",
      name: "a streamed tool call, which comes whole",
      page: signaturePage,
      request: { stream: true, tools: [weatherTool] },
      upstream: {
        body:
          toFrames([
            chunk({ role: "assistant", tool_calls: toolCalls.map((each) => ({ ...each, index: 0 })) }),
            chunk({ role: "assistant" }, { finish_reason: "tool_calls" }),
          ]) +
          usageFrame +
          done,
      },
      usageFrame,
      logged: {
        choice: { message: { tool_calls: [{ id: "function-call-123", function: call }] }, finish_reason: "tool_calls" },
        usage: counted,
      },
    },
    ...toErrorCases(
      errorsPage,
      (
        [
          [400, "INVALID_ARGUMENT", 'Invalid JSON payload received. Unknown name "top_k": Cannot find field.'],
          [403, "PERMISSION_DENIED", "Your API key doesn't have the required permissions."],
          [404, "NOT_FOUND", "models/gemini-0 is not found for API version v1main"],
          [429, "RESOURCE_EXHAUSTED", "You exceeded your current quota."],
          [500, "INTERNAL", "An unexpected error occurred on Google's side."],
          [503, "UNAVAILABLE", "The model is overloaded. Please try again later."],
        ] as const
      ).map(([code, status, message]) => ({
        status: code,
        type: status,
        message,
        body: [{ error: { code, message, status } }],
      })),
    ),
  ],
};
