import { begin, delta, end, failure, message, start, stop } from "#testing/vendors/anthropic-wire.ts";
import { pixel, toNamedEvents, weatherTool, type Vendor } from "#testing/vendors/vendor-case.ts";

const messagesPage = "https://docs.anthropic.com/en/api/messages";
const streamPage = "https://docs.anthropic.com/en/docs/build-with-claude/streaming";
const toolsPage = "https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/overview";
const errorsPage = "https://docs.anthropic.com/en/api/errors";
const cachePage = "https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching";
const thinkingPage = "https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking";
const visionPage = "https://docs.anthropic.com/en/docs/build-with-claude/vision";

/** Anthropic's Messages API, version 2023-06-01. */
export const anthropicCases: Vendor = {
  name: "anthropic/",
  params: { model: "anthropic/claude-sonnet-4-5", api_key: "sk-ant-fixture" },
  cases: [
    {
      feature: "text",
      name: "a message with a system prompt",
      page: messagesPage,
      request: {
        messages: [
          { role: "developer", content: "Be brief." },
          { role: "user", content: "Hello, world" },
        ],
        max_completion_tokens: 1024,
        stop: "END",
        user: "user-7",
        n: 1,
        presence_penalty: 0,
      },
      sent: {
        path: "/v1/messages",
        body: {
          model: "claude-sonnet-4-5",
          max_tokens: 1024,
          stop_sequences: ["END"],
          metadata: { user_id: "user-7" },
          system: [{ type: "text", text: "Be brief." }],
          messages: [{ role: "user", content: [{ type: "text", text: "Hello, world" }] }],
        },
      },
      upstream: { body: message([{ type: "text", text: "Hi! My name is Claude." }]) },
      answer: { role: "assistant", content: "Hi! My name is Claude." },
      finishReason: "stop",
      usage: { prompt_tokens: 10, completion_tokens: 25, total_tokens: 35 },
    },
    {
      feature: "text",
      name: "an answer that reached its length",
      page: messagesPage,
      request: { max_tokens: 1 },
      upstream: { body: message([{ type: "text", text: "Hi" }], { stop_reason: "max_tokens" }) },
      answer: { content: "Hi" },
      finishReason: "length",
    },
    {
      feature: "stream",
      name: "a streamed message with pings",
      page: streamPage,
      request: { stream: true, stream_options: { include_usage: true } },
      sent: { body: { stream: true } },
      upstream: {
        body: toNamedEvents([
          start,
          begin(0, { type: "text", text: "" }),
          { type: "ping" },
          delta(0, { type: "text_delta", text: "Hello" }),
          delta(0, { type: "text_delta", text: "!" }),
          stop(0),
          ...end("end_turn", 15),
        ]),
      },
      answer: { role: "assistant", content: "Hello!" },
      finishReason: "stop",
      usage: { prompt_tokens: 472, completion_tokens: 15, total_tokens: 487 },
    },
    {
      feature: "tools",
      name: "a tool call",
      page: toolsPage,
      request: { tools: [weatherTool], tool_choice: "required", parallel_tool_calls: false },
      sent: {
        body: {
          tools: [{ name: "get_weather", input_schema: { type: "object", required: ["location"] } }],
          tool_choice: { type: "any", disable_parallel_tool_use: true },
        },
      },
      upstream: {
        body: message(
          [
            { type: "text", text: "I'll check." },
            { type: "tool_use", id: "toolu_01A09q90qw90lq917835lq9", name: "get_weather", input: { location: "SF" } },
          ],
          { stop_reason: "tool_use" },
        ),
      },
      answer: {
        content: "I'll check.",
        tool_calls: [
          {
            id: "toolu_01A09q90qw90lq917835lq9",
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
      request: {
        stream: true,
        tools: [weatherTool],
        tool_choice: { type: "function", function: { name: "get_weather" } },
      },
      sent: { body: { tool_choice: { type: "tool", name: "get_weather" } } },
      upstream: {
        body: toNamedEvents([
          start,
          begin(0, { type: "text", text: "" }),
          delta(0, { type: "text_delta", text: "Okay" }),
          stop(0),
          begin(1, { type: "tool_use", id: "toolu_01T1x1fJ34qAmk2tNTrN7Up6", name: "get_weather", input: {} }),
          delta(1, { type: "input_json_delta", partial_json: "" }),
          delta(1, { type: "input_json_delta", partial_json: '{"location":' }),
          delta(1, { type: "input_json_delta", partial_json: ' "San Francisco, CA"}' }),
          stop(1),
          ...end("tool_use", 89),
        ]),
      },
      answer: {
        content: "Okay",
        tool_calls: [
          {
            id: "toolu_01T1x1fJ34qAmk2tNTrN7Up6",
            type: "function",
            function: { name: "get_weather", arguments: '{"location": "San Francisco, CA"}' },
          },
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
            content: null,
            refusal: null,
            tool_calls: [
              { id: "toolu_1", type: "function", function: { name: "get_weather", arguments: '{"location":"SF"}' } },
            ],
            reasoning_content: "Look it up.",
            thinking_blocks: [{ type: "thinking", thinking: "Look it up.", signature: "c2ln" }],
          },
          { role: "tool", tool_call_id: "toolu_1", content: "15 degrees" },
        ],
        tools: [weatherTool],
      },
      sent: {
        body: {
          messages: [
            { role: "user", content: [{ type: "text", text: "Weather?" }] },
            {
              role: "assistant",
              content: [
                { type: "thinking", thinking: "Look it up.", signature: "c2ln" },
                { type: "tool_use", id: "toolu_1", name: "get_weather", input: { location: "SF" } },
              ],
            },
            { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "15 degrees" }] },
          ],
        },
      },
      upstream: { body: message([{ type: "text", text: "It is 15 degrees." }]) },
      answer: { content: "It is 15 degrees." },
    },
    {
      feature: "images",
      name: "a picture in the request, and one at an address",
      page: visionPage,
      request: {
        messages: [
          {
            role: "user",
            content: [
              { type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } },
              { type: "image_url", image_url: { url: "https://example.com/ant.jpg" } },
              { type: "text", text: "Describe them." },
            ],
          },
        ],
      },
      sent: {
        body: {
          messages: [
            {
              role: "user",
              content: [
                { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } },
                { type: "image", source: { type: "url", url: "https://example.com/ant.jpg" } },
                { type: "text", text: "Describe them." },
              ],
            },
          ],
        },
      },
      upstream: { body: message([{ type: "text", text: "One pixel and an ant." }]) },
      answer: { content: "One pixel and an ant." },
    },
    {
      feature: "schema",
      name: "an answer by a JSON schema",
      page: "https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs",
      request: {
        response_format: {
          type: "json_schema",
          json_schema: {
            name: "person",
            schema: {
              type: "object",
              properties: { name: { type: "string" } },
              required: ["name"],
              additionalProperties: false,
            },
            strict: true,
          },
        },
      },
      sent: { body: { output_config: { format: { type: "json_schema", schema: { required: ["name"] } } } } },
      upstream: { body: message([{ type: "text", text: '{"name":"Ada"}' }]) },
      answer: { content: '{"name":"Ada"}' },
      finishReason: "stop",
    },
    {
      feature: "schema",
      name: "any JSON object, by a tool that the client does not see",
      page: toolsPage,
      request: { response_format: { type: "json_object" } },
      sent: { body: { tools: [{ name: "json" }] } },
      upstream: {
        body: message([{ type: "tool_use", id: "toolu_2", name: "json", input: { name: "Ada" } }], {
          stop_reason: "tool_use",
        }),
      },
      answer: { content: '{"name":"Ada"}' },
      finishReason: "stop",
    },
    {
      feature: "reasoning",
      name: "thinking with a budget, and its signed block",
      page: thinkingPage,
      request: { thinking: { type: "enabled", budget_tokens: 2048 }, max_tokens: 100, temperature: 1 },
      sent: { body: { thinking: { type: "enabled", budget_tokens: 2048 } } },
      upstream: {
        body: message([
          {
            type: "thinking",
            thinking: "Let me analyze this step by step...",
            signature: "WaUjzkypQ2mUEVM36O2TxuC06KN8xyfbJwyem2dw3URve",
          },
          { type: "text", text: "Based on my analysis..." },
        ]),
      },
      answer: {
        content: "Based on my analysis...",
        reasoning_content: "Let me analyze this step by step...",
        thinking_blocks: [
          {
            type: "thinking",
            thinking: "Let me analyze this step by step...",
            signature: "WaUjzkypQ2mUEVM36O2TxuC06KN8xyfbJwyem2dw3URve",
          },
        ],
      },
    },
    {
      feature: "reasoning",
      name: "streamed thinking, asked for by effort",
      page: streamPage,
      request: { stream: true, reasoning_effort: "low", max_tokens: 2000 },
      sent: { body: { thinking: { type: "enabled" } } },
      upstream: {
        body: toNamedEvents([
          start,
          begin(0, { type: "thinking", thinking: "", signature: "" }),
          delta(0, { type: "thinking_delta", thinking: "Let me solve " }),
          delta(0, { type: "thinking_delta", thinking: "this." }),
          delta(0, { type: "signature_delta", signature: "EqQBCgIYAhIM1gbcDa9GJwZA2b3h" }),
          stop(0),
          begin(1, { type: "text", text: "" }),
          delta(1, { type: "text_delta", text: "27 * 453 = 12,231" }),
          stop(1),
          ...end("end_turn", 40),
        ]),
      },
      answer: { content: "27 * 453 = 12,231", reasoning_content: "Let me solve this." },
      finishReason: "stop",
    },
    {
      feature: "cache",
      name: "a prompt that was read from the cache, and what was added to it",
      page: cachePage,
      request: {
        messages: [
          {
            role: "system",
            content: [{ type: "text", text: "A long text.", cache_control: { type: "ephemeral" } }],
          },
          { role: "user", content: "What is in it?" },
        ],
      },
      sent: { body: { system: [{ type: "text", text: "A long text.", cache_control: { type: "ephemeral" } }] } },
      upstream: {
        body: message([{ type: "text", text: "Much." }], {
          usage: {
            input_tokens: 21,
            cache_creation_input_tokens: 188,
            cache_read_input_tokens: 1800,
            output_tokens: 3,
          },
        }),
      },
      answer: { content: "Much." },
      usage: {
        prompt_tokens: 2009,
        completion_tokens: 3,
        total_tokens: 2012,
        prompt_tokens_details: { cached_tokens: 1800, cache_creation_tokens: 188 },
        cache_creation_input_tokens: 188,
        cache_read_input_tokens: 1800,
      },
    },
    ...(
      [
        [400, "invalid_request_error", "max_tokens: Input should be greater than or equal to 1"],
        [401, "authentication_error", "invalid x-api-key"],
        [403, "permission_error", "Your API key does not have permission to use the specified resource."],
        [404, "not_found_error", "The requested resource could not be found."],
        [413, "request_too_large", "Request exceeds the maximum allowed number of bytes."],
        [429, "rate_limit_error", "This request would exceed the rate limit for your organization."],
        [500, "api_error", "Internal server error"],
        [529, "overloaded_error", "Overloaded"],
      ] as const
    ).map(([status, type, text]) => ({
      feature: "errors" as const,
      name: `a ${String(status)}`,
      page: errorsPage,
      request: {},
      upstream: { status, headers: { "retry-after": "7" }, body: failure(type, text) },
      status,
      answer: { type, message: text },
    })),
    {
      feature: "errors",
      name: "an overload that the first event of a stream tells of",
      page: streamPage,
      request: { stream: true },
      upstream: {
        body: toNamedEvents([{ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }]),
      },
      status: 529,
      answer: { type: "overloaded_error", message: "Overloaded" },
    },
    {
      feature: "broken",
      name: "an overload in the middle of a stream",
      page: streamPage,
      request: { stream: true },
      upstream: {
        body: toNamedEvents([
          start,
          begin(0, { type: "text", text: "" }),
          delta(0, { type: "text_delta", text: "Hel" }),
          { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
        ]),
      },
      answer: { type: "overloaded_error", message: "Overloaded", code: "529" },
    },
  ],
};
