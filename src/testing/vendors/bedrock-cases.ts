import type { JsonObject } from "#logging/record.ts";
import { toAwsEvents, type AwsEvent } from "#testing/vendors/aws-event-stream.ts";
import { pixel, weatherTool, type Vendor } from "#testing/vendors/vendor-case.ts";

const conversePage = "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html";
const streamPage = "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html";
const toolsPage = "https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use-inference-call.html";
const reasoningPage = "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ReasoningContentBlock.html";
const cachePage = "https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html";

function converse(content: JsonObject[], more: JsonObject = {}): string {
  return JSON.stringify({
    output: { message: { role: "assistant", content } },
    stopReason: "end_turn",
    usage: { inputTokens: 30, outputTokens: 628, totalTokens: 658 },
    metrics: { latencyMs: 1275 },
    ...more,
  });
}

const headers = { "content-type": "application/vnd.amazon.eventstream", "x-amzn-requestid": "f5a9-4e1c" };
const start: AwsEvent = { type: "messageStart", value: { role: "assistant" } };
const delta = (index: number, value: JsonObject): AwsEvent => ({
  type: "contentBlockDelta",
  value: { contentBlockIndex: index, delta: value },
});
const stop = (index: number): AwsEvent => ({ type: "contentBlockStop", value: { contentBlockIndex: index } });
const end = (stopReason: string): AwsEvent[] => [
  { type: "messageStop", value: { stopReason } },
  {
    type: "metadata",
    value: { usage: { inputTokens: 47, outputTokens: 20, totalTokens: 67 }, metrics: { latencyMs: 100 } },
  },
];

/** Bedrock's Converse and ConverseStream. */
export const bedrockCases: Vendor = {
  name: "bedrock/",
  params: {
    model: "bedrock/anthropic.claude-3-7-sonnet-20250219-v1:0",
    aws_region_name: "us-east-1",
    aws_access_key_id: "AKIAFIXTURE",
    aws_secret_access_key: "fixture-secret-access-key",
  },
  cases: [
    {
      feature: "text",
      name: "a message with a system prompt",
      page: conversePage,
      request: {
        messages: [
          { role: "system", content: "You are an economist." },
          { role: "user", content: "What is high inflation?" },
        ],
        max_tokens: 1000,
        temperature: 0.5,
        stop: ["END"],
      },
      sent: {
        path: "/model/anthropic.claude-3-7-sonnet-20250219-v1%3A0/converse",
        body: {
          system: [{ text: "You are an economist." }],
          messages: [{ role: "user", content: [{ text: "What is high inflation?" }] }],
          inferenceConfig: { maxTokens: 1000, temperature: 0.5, stopSequences: ["END"] },
        },
      },
      upstream: { body: converse([{ text: "Prices rise." }]) },
      answer: { role: "assistant", content: "Prices rise." },
      finishReason: "stop",
      usage: { prompt_tokens: 30, completion_tokens: 628, total_tokens: 658 },
    },
    {
      feature: "text",
      name: "an answer that a guardrail held back",
      page: conversePage,
      request: {},
      upstream: { body: converse([{ text: "Sorry." }], { stopReason: "guardrail_intervened" }) },
      answer: { content: "Sorry." },
      finishReason: "content_filter",
    },
    {
      feature: "stream",
      name: "a streamed message in AWS's binary frames",
      page: streamPage,
      request: { stream: true, stream_options: { include_usage: true } },
      sent: { path: "/model/anthropic.claude-3-7-sonnet-20250219-v1%3A0/converse-stream", body: {} },
      upstream: {
        headers,
        body: toAwsEvents([start, delta(0, { text: "Hel" }), delta(0, { text: "lo" }), stop(0), ...end("end_turn")]),
      },
      answer: { role: "assistant", content: "Hello" },
      finishReason: "stop",
      usage: { prompt_tokens: 47, completion_tokens: 20, total_tokens: 67 },
    },
    {
      feature: "tools",
      name: "a tool call",
      page: toolsPage,
      request: { tools: [weatherTool], tool_choice: { type: "function", function: { name: "get_weather" } } },
      sent: {
        body: {
          toolConfig: {
            tools: [{ toolSpec: { name: "get_weather", inputSchema: { json: { type: "object" } } } }],
            toolChoice: { tool: { name: "get_weather" } },
          },
        },
      },
      upstream: {
        body: converse(
          [
            {
              toolUse: { toolUseId: "tooluse_kZJMlvQmRJ6eAyJE5GIl7Q", name: "get_weather", input: { location: "SF" } },
            },
          ],
          { stopReason: "tool_use" },
        ),
      },
      answer: {
        content: null,
        tool_calls: [
          {
            id: "tooluse_kZJMlvQmRJ6eAyJE5GIl7Q",
            type: "function",
            function: { name: "get_weather", arguments: '{"location":"SF"}' },
          },
        ],
      },
      finishReason: "tool_calls",
    },
    {
      feature: "tools",
      name: "a streamed tool call, its arguments in pieces",
      page: streamPage,
      request: { stream: true, tools: [weatherTool] },
      upstream: {
        headers,
        body: toAwsEvents([
          start,
          {
            type: "contentBlockStart",
            value: { contentBlockIndex: 0, start: { toolUse: { toolUseId: "tooluse_1", name: "get_weather" } } },
          },
          delta(0, { toolUse: { input: '{"location":' } }),
          delta(0, { toolUse: { input: '"SF"}' } }),
          stop(0),
          ...end("tool_use"),
        ]),
      },
      answer: {
        tool_calls: [
          { id: "tooluse_1", type: "function", function: { name: "get_weather", arguments: '{"location":"SF"}' } },
        ],
      },
      finishReason: "tool_calls",
    },
    {
      feature: "history",
      name: "a tool's result, and the answer that asked for it",
      page: toolsPage,
      request: {
        messages: [
          { role: "user", content: "Weather?" },
          {
            role: "assistant",
            content: "",
            tool_calls: [
              { id: "tooluse_1", type: "function", function: { name: "get_weather", arguments: '{"location":"SF"}' } },
            ],
            thinking_blocks: [{ type: "thinking", thinking: "Look it up.", signature: "c2ln" }],
          },
          { role: "tool", tool_call_id: "tooluse_1", content: "15 degrees" },
        ],
        tools: [weatherTool],
      },
      sent: {
        body: {
          messages: [
            { role: "user", content: [{ text: "Weather?" }] },
            {
              role: "assistant",
              content: [
                { reasoningContent: { reasoningText: { text: "Look it up.", signature: "c2ln" } } },
                { toolUse: { toolUseId: "tooluse_1", name: "get_weather", input: { location: "SF" } } },
              ],
            },
            { role: "user", content: [{ toolResult: { toolUseId: "tooluse_1", content: [{ text: "15 degrees" }] } }] },
          ],
        },
      },
      upstream: { body: converse([{ text: "It is 15 degrees." }]) },
      answer: { content: "It is 15 degrees." },
    },
    {
      feature: "images",
      name: "a picture in the request",
      page: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ImageBlock.html",
      request: {
        messages: [
          {
            role: "user",
            content: [
              { type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } },
              { type: "text", text: "Describe it." },
            ],
          },
        ],
      },
      sent: {
        body: {
          messages: [
            {
              role: "user",
              content: [{ image: { format: "png", source: { bytes: pixel } } }, { text: "Describe it." }],
            },
          ],
        },
      },
      upstream: { body: converse([{ text: "One pixel." }]) },
      answer: { content: "One pixel." },
    },
    {
      feature: "schema",
      name: "an answer by a JSON schema, by a tool that the client does not see",
      page: toolsPage,
      request: {
        response_format: {
          type: "json_schema",
          json_schema: { name: "person", schema: { type: "object", properties: { name: { type: "string" } } } },
        },
      },
      sent: { body: { toolConfig: { tools: [{ toolSpec: { name: "json" } }], toolChoice: { any: {} } } } },
      upstream: {
        body: converse([{ toolUse: { toolUseId: "tooluse_2", name: "json", input: { name: "Ada" } } }], {
          stopReason: "tool_use",
        }),
      },
      answer: { content: '{"name":"Ada"}' },
      finishReason: "stop",
    },
    {
      feature: "reasoning",
      name: "thinking with a budget, and its signed block",
      page: reasoningPage,
      request: { thinking: { type: "enabled", budget_tokens: 2000 }, max_tokens: 100 },
      sent: { body: { additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 2000 } } } },
      upstream: {
        body: converse([
          { reasoningContent: { reasoningText: { text: "Let me think.", signature: "EqoBCkgIARAB" } } },
          { text: "12" },
        ]),
      },
      answer: {
        content: "12",
        reasoning_content: "Let me think.",
        thinking_blocks: [{ type: "thinking", thinking: "Let me think.", signature: "EqoBCkgIARAB" }],
      },
    },
    {
      feature: "reasoning",
      name: "streamed thinking, asked for by effort",
      page: reasoningPage,
      request: { stream: true, reasoning_effort: "low", max_tokens: 2000 },
      upstream: {
        headers,
        body: toAwsEvents([
          start,
          delta(0, { reasoningContent: { text: "Let me " } }),
          delta(0, { reasoningContent: { text: "think." } }),
          delta(0, { reasoningContent: { signature: "EqoBCkgIARAB" } }),
          stop(0),
          delta(1, { text: "12" }),
          stop(1),
          ...end("end_turn"),
        ]),
      },
      answer: { content: "12", reasoning_content: "Let me think." },
      finishReason: "stop",
    },
    {
      feature: "cache",
      name: "a prompt that was read from the cache, and what was added to it",
      page: cachePage,
      request: {
        messages: [
          { role: "system", content: [{ type: "text", text: "A long text.", cache_control: { type: "ephemeral" } }] },
          { role: "user", content: "What is in it?" },
        ],
      },
      sent: { body: { system: [{ text: "A long text." }, { cachePoint: { type: "default" } }] } },
      upstream: {
        body: converse([{ text: "Much." }], {
          usage: {
            ...{ inputTokens: 4, outputTokens: 3, totalTokens: 1995 },
            ...{ cacheReadInputTokens: 1800, cacheWriteInputTokens: 188 },
          },
        }),
      },
      answer: { content: "Much." },
      usage: {
        prompt_tokens: 1992,
        completion_tokens: 3,
        total_tokens: 1995,
        prompt_tokens_details: { cached_tokens: 1800, cache_creation_tokens: 188 },
      },
    },
    ...(
      [
        [400, "ValidationException", "The provided model identifier is invalid."],
        [403, "AccessDeniedException", "You don't have access to the model with the specified model ID."],
        [404, "ResourceNotFoundException", "Model not found."],
        [408, "ModelTimeoutException", "The request took too long to process."],
        [424, "ModelErrorException", "The request failed due to an error while processing the model."],
        [429, "ThrottlingException", "Too many tokens, please wait before trying again."],
        [500, "InternalServerException", "An internal server error occurred."],
        [503, "ServiceUnavailableException", "The service isn't currently available."],
      ] as const
    ).map(([status, type, text]) => ({
      feature: "errors" as const,
      name: `a ${String(status)}`,
      page: conversePage,
      request: {},
      upstream: {
        status,
        headers: { "x-amzn-errortype": type, "retry-after": "7" },
        body: JSON.stringify({ message: text }),
      },
      status,
      answer: { message: text },
    })),
    {
      feature: "broken",
      name: "a throttling in the middle of a stream",
      page: streamPage,
      request: { stream: true },
      upstream: {
        headers,
        body: toAwsEvents([
          start,
          delta(0, { text: "Hel" }),
          { type: "throttlingException", value: { message: "Too many requests" }, isException: true },
        ]),
      },
      answer: { type: "throttlingException", message: "Too many requests", code: "429" },
    },
  ],
};
