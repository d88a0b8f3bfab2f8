import { done, makeWire, toErrorCases, toFrames, type PassedOnVendor } from "#testing/vendors/passed-on-case.ts";
import { weatherTool } from "#testing/vendors/vendor-case.ts";

const page = "https://learn.microsoft.com/azure/ai-foundry/openai/reference";
const filterPage = "https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter";
const streamPage = "https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-streaming";
const errorsPage = "https://learn.microsoft.com/azure/ai-foundry/openai/how-to/quota";

const { whole, chunk, last } = makeWire({
  id: "chatcmpl-AMrPH1JwGkiYDKnFvGNlyxT9RITzr",
  created: 1_730_011_875,
  model: "gpt-4o-2024-11-20",
  system_fingerprint: "fp_5b26d85e12",
});
const safe = { filtered: false, severity: "safe" };
const filtered = { hate: safe, self_harm: safe, sexual: safe, violence: safe };
const promptFilter = [
  { prompt_index: 0, content_filter_results: { ...filtered, jailbreak: { filtered: false, detected: false } } },
];
/** The first event of a stream has results of the filter, and no choice yet: it is the client's all the same. */
const first = { id: "", object: "", created: 0, model: "", choices: [], prompt_filter_results: promptFilter };
const usage = { prompt_tokens: 33, completion_tokens: 9, total_tokens: 42 };
const counted = { promptTokens: 33, completionTokens: 9, totalTokens: 42 };
const usageFrame = toFrames([last({ usage })]);
const call = { name: "get_weather", arguments: '{"location": "San Francisco"}' };
const refused = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.";
const tooFast =
  "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 20 seconds.";

/** Azure OpenAI: OpenAI's wire with what its content filter found. */
export const azureCases: PassedOnVendor = {
  name: "azure/",
  params: { model: "azure/our-gpt", api_key: "azure-fixture" },
  base: "",
  sent: {
    path: "/openai/deployments/our-gpt/chat/completions?api-version=2024-10-21",
    headers: { "api-key": "azure-fixture" },
    model: "our-gpt",
  },
  asksForUsage: true,
  cases: [
    {
      feature: "text",
      name: "an answer with the filter's results",
      page: filterPage,
      upstream: {
        body: whole(
          {
            content_filter_results: filtered,
            finish_reason: "stop",
            logprobs: null,
            message: { content: "Arr, matey!", role: "assistant" },
          },
          { prompt_filter_results: promptFilter, usage },
        ),
      },
      logged: { choice: { message: { content: "Arr, matey!" }, finish_reason: "stop" }, usage: counted },
    },
    {
      feature: "text",
      name: "an answer that the filter cut off",
      page: filterPage,
      upstream: {
        body: whole(
          {
            content_filter_results: { ...filtered, violence: { filtered: true, severity: "medium" } },
            finish_reason: "content_filter",
            message: { role: "assistant" },
          },
          { usage },
        ),
      },
      logged: { choice: { finish_reason: "content_filter" }, usage: counted },
    },
    {
      feature: "stream",
      name: "a stream that begins with the filter's results",
      page: streamPage,
      request: { stream: true },
      upstream: {
        body:
          toFrames([
            first,
            chunk({ role: "assistant", content: "" }, { content_filter_results: {} }),
            chunk({ content: "Arr, " }, { content_filter_results: filtered }),
            chunk({ content: "matey!" }, { content_filter_results: filtered }),
            chunk({}, { finish_reason: "stop", content_filter_results: {} }),
          ]) +
          usageFrame +
          done,
      },
      usageFrame,
      logged: { choice: { message: { content: "Arr, matey!" }, finish_reason: "stop" }, usage: counted },
    },
    {
      feature: "stream",
      name: "a stream whose filter works apart from it",
      page: streamPage,
      request: { stream: true },
      upstream: {
        body:
          toFrames([
            first,
            chunk({ role: "assistant", content: "Arr" }),
            chunk({}, { finish_reason: "stop" }),
            {
              ...{ id: "", object: "", created: 0, model: "" },
              choices: [
                {
                  index: 0,
                  finish_reason: null,
                  content_filter_results: filtered,
                  content_filter_offsets: { check_offset: 44, start_offset: 44, end_offset: 47 },
                },
              ],
            },
          ]) +
          usageFrame +
          done,
      },
      usageFrame,
      logged: { choice: { message: { content: "Arr" }, finish_reason: "stop" }, usage: counted },
    },
    {
      feature: "tools",
      name: "a tool call",
      page,
      request: { tools: [weatherTool] },
      upstream: {
        body: whole(
          {
            content_filter_results: {},
            finish_reason: "tool_calls",
            message: {
              content: null,
              role: "assistant",
              tool_calls: [{ function: call, id: "call_1", type: "function" }],
            },
          },
          { usage },
        ),
      },
      logged: { choice: { message: { tool_calls: [{ id: "call_1", function: call }] } }, usage: counted },
    },
    ...toErrorCases(errorsPage, [
      {
        status: 400,
        message: refused,
        body: {
          error: {
            message: refused,
            type: null,
            param: "prompt",
            code: "content_filter",
            status: 400,
            innererror: {
              code: "ResponsibleAIPolicyViolation",
              content_filter_result: { ...filtered, hate: { filtered: true, severity: "high" } },
            },
          },
        },
      },
      {
        status: 401,
        message: "Access denied due to invalid subscription key or wrong API endpoint.",
        body: {
          error: { code: "401", message: "Access denied due to invalid subscription key or wrong API endpoint." },
        },
      },
      {
        status: 404,
        message: "The API deployment for this resource does not exist.",
        body: {
          error: { code: "DeploymentNotFound", message: "The API deployment for this resource does not exist." },
        },
      },
      { status: 429, message: tooFast, retryAfter: "20", body: { error: { code: "429", message: tooFast } } },
    ]),
  ],
};
