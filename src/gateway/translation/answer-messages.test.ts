import { expect, test } from "vitest";
import { messages } from "#gateway/operations/messages.ts";
import { findProvider } from "#gateway/providers/index.ts";
import type { ProviderAnswer } from "#gateway/providers/provider.ts";
import { answerMessages } from "#gateway/translation/answer-messages.ts";
import { AppError, UpstreamError } from "#lib/errors.ts";
import { readText } from "#lib/fetch-upstream.ts";
import { isJsonObject, type JsonObject } from "#logging/record.ts";
import { bedrockCases } from "#testing/vendors/bedrock-cases.ts";
import { toDeployment, vendorServerOfFile } from "#testing/vendors/play-vendor.ts";
import { pixel, type Vendor } from "#testing/vendors/vendor-case.ts";

const server = vendorServerOfFile();

const openai: Pick<Vendor, "params"> = { params: { model: "openai/gpt-4o", api_key: "sk-fixture" } };

async function ask(request: JsonObject, params: JsonObject = {}, vendor = openai): Promise<ProviderAnswer> {
  const deployment = toDeployment(vendor, server.url, params);
  const provider = findProvider(deployment.provider);
  if (!provider) throw new Error("There is such a provider.");
  const usual = { model: "m", max_tokens: 100, messages: [{ role: "user", content: "Hello" }] };
  const limits = { timeoutMs: 5_000, totalTimeoutMs: 5_000 };
  const body = { ...usual, ...request };
  return answerMessages(
    { deployment, operation: messages, body, form: null, headers: new Headers(), ...limits },
    provider,
  );
}

const textOf = (answer: ProviderAnswer): Promise<string> => readText({ ...answer, headers: {} }, 100_000);

async function read(answer: ProviderAnswer): Promise<JsonObject> {
  const value: unknown = JSON.parse(await textOf(answer));
  return isJsonObject(value) ? value : {};
}

async function readEvents(answer: ProviderAnswer): Promise<JsonObject[]> {
  const frames = (await textOf(answer)).split("\n\n").filter((frame) => frame !== "");
  return frames.map((frame) => {
    const [name = "", data = ""] = frame.split("\n");
    const value: unknown = JSON.parse(data.slice("data: ".length));
    if (!isJsonObject(value) || name !== `event: ${String(value.type)}`) throw new Error(`What is ${frame}?`);
    return value;
  });
}

function completion(message: JsonObject, finishReason = "stop"): string {
  return JSON.stringify({
    ...{ id: "chatcmpl-1", object: "chat.completion", created: 1, model: "gpt-4o-2024" },
    choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason: finishReason }],
    usage: { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25, prompt_tokens_details: { cached_tokens: 8 } },
  });
}

test("a conversation with tools and pictures is asked in OpenAI's words", async () => {
  server.answerWith({ body: completion({ content: "Fine." }) });
  await ask({
    system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }],
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "Look." },
          { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "Hm.", signature: "c2ln" },
          { type: "text", text: "I look it up." },
          { type: "tool_use", id: "t1", name: "look_up", input: { q: 1 } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "text", text: "Go on." },
          { type: "tool_result", tool_use_id: "t1", content: [{ type: "text", text: "Found." }] },
        ],
      },
    ],
    tools: [{ name: "look_up", description: "d", input_schema: { type: "object" } }],
    tool_choice: { type: "any", disable_parallel_tool_use: true },
    stop_sequences: ["END"],
    thinking: { type: "enabled", budget_tokens: 6000 },
    metadata: { user_id: "u" },
  });
  expect(server.last()).toMatchObject({ path: "/chat/completions", headers: { authorization: "Bearer sk-fixture" } });
  expect(server.last()?.body).toEqual({
    model: "m",
    max_tokens: 100,
    stop: ["END"],
    user: "u",
    reasoning_effort: "medium",
    tool_choice: "required",
    parallel_tool_calls: false,
    tools: [{ type: "function", function: { name: "look_up", description: "d", parameters: { type: "object" } } }],
    messages: [
      { role: "system", content: [{ type: "text", text: "Be brief." }] },
      {
        role: "user",
        content: [
          { type: "text", text: "Look." },
          { type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } },
        ],
      },
      {
        role: "assistant",
        content: "I look it up.",
        tool_calls: [{ id: "t1", type: "function", function: { name: "look_up", arguments: '{"q":1}' } }],
      },
      { role: "tool", tool_call_id: "t1", content: "Found." },
      { role: "user", content: "Go on." },
    ],
  });
});

test("an answer is Anthropic's message, its reasoning, tool calls and cached tokens included", async () => {
  const call = { id: "call_1", type: "function", function: { name: "look_up", arguments: '{"q":1}' } };
  server.answerWith({
    body: completion({ content: "Wait.", reasoning_content: "Hm.", tool_calls: [call] }, "tool_calls"),
  });
  expect(await read(await ask({}))).toEqual({
    id: "msg_chatcmpl-1",
    type: "message",
    role: "assistant",
    model: "gpt-4o-2024",
    content: [
      { type: "thinking", thinking: "Hm.", signature: "" },
      { type: "text", text: "Wait." },
      { type: "tool_use", id: "call_1", name: "look_up", input: { q: 1 } },
    ],
    stop_reason: "tool_use",
    stop_sequence: null,
    usage: { input_tokens: 12, cache_read_input_tokens: 8, cache_creation_input_tokens: 0, output_tokens: 5 },
  });
});

const chunk = (delta: JsonObject, finishReason: string | null = null): string =>
  `data: ${JSON.stringify({ id: "c", model: "gpt", choices: [{ index: 0, delta, finish_reason: finishReason }] })}\n\n`;
const call = (index: number, more: JsonObject): JsonObject => ({ tool_calls: [{ index, ...more }] });

test("a streamed answer is Anthropic's events, one block after the other", async () => {
  server.answerWith({
    body: [
      chunk({ role: "assistant", content: "" }),
      chunk({ reasoning_content: "Hm." }),
      chunk({ content: "Hel" }),
      chunk({ content: "lo" }),
      chunk(call(0, { id: "call_1", type: "function", function: { name: "a", arguments: "" } })),
      chunk(call(0, { function: { arguments: '{"q":1}' } })),
      chunk(call(1, { id: "call_2", type: "function", function: { name: "b", arguments: "{}" } })),
      chunk({}, "tool_calls"),
      `data: ${JSON.stringify({ id: "c", choices: [], usage: { prompt_tokens: 9, completion_tokens: 4 } })}\n\n`,
      "data: [DONE]\n\n",
    ].join(""),
  });
  const events = await readEvents(await ask({ stream: true }));
  expect(server.last()?.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  expect(events.map(({ type, index }) => [type, index])).toEqual([
    ["message_start", undefined],
    ["content_block_start", 0],
    ["content_block_delta", 0],
    ["content_block_stop", 0],
    ["content_block_start", 1],
    ["content_block_delta", 1],
    ["content_block_delta", 1],
    ["content_block_stop", 1],
    ["content_block_start", 2],
    ["content_block_delta", 2],
    ["content_block_stop", 2],
    ["content_block_start", 3],
    ["content_block_delta", 3],
    ["content_block_stop", 3],
    ["message_delta", undefined],
    ["message_stop", undefined],
  ]);
  expect(events.at(-2)).toMatchObject({
    delta: { stop_reason: "tool_use" },
    usage: { input_tokens: 9, output_tokens: 4 },
  });
});

test("an error in the middle of a stream is Anthropic's error event, and nothing comes after it", async () => {
  const error = { error: { message: "Overloaded", type: "server_error", code: "503" } };
  server.answerWith({ body: `${chunk({ content: "Hel" })}data: ${JSON.stringify(error)}\n\n` });
  const events = await readEvents(await ask({ stream: true }));
  expect(events.at(-1)).toEqual({ type: "error", error: { type: "api_error", message: "Overloaded" } });
});

test("a stream that ends before its answer is complete is broken", async () => {
  server.answerWith({ body: chunk({ content: "Hel" }) });
  await expect(textOf(await ask({ stream: true }))).rejects.toBeInstanceOf(UpstreamError);
});

test("the upstream's refusal is passed on as it is", async () => {
  server.answerWith({ status: 429, headers: { "retry-after": "3" }, body: '{"error":{"message":"slow down"}}' });
  const answer = await ask({});
  expect(answer).toMatchObject({ status: 429, headers: { "retry-after": "3" } });
  expect(await textOf(answer)).toContain("slow down");
});

test.each<[string, JsonObject, string]>([
  ["a tool of Anthropic's own", { tools: [{ type: "web_search_20250305", name: "web_search" }] }, "tools.0.type"],
  ["a field without an equal", { container: "c" }, "container"],
  ["how many words to choose from", { top_k: 5 }, "top_k"],
  [
    "a picture as a tool's result",
    {
      messages: [
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: "t",
              content: [{ type: "image", source: { type: "url", url: "https://example.com/a.png" } }],
            },
          ],
        },
      ],
    },
    "messages.0.content.0.content.0",
  ],
])("refuses %s with a 400 that names the field, and sends nothing", async (_what, request, param) => {
  const before = server.last();
  const refused = await ask(request).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(AppError);
  expect(refused).toMatchObject({ status: 400, param });
  expect(server.last()).toBe(before);
});

test("with drop_params, a field without an equal is left out and named", async () => {
  server.answerWith({ body: completion({ content: "Fine." }) });
  const answer = await ask({ top_k: 5 }, { drop_params: true });
  expect(answer.dropped).toEqual(["top_k"]);
});

test("models that reason are told their length in the words that they know, and a deployment's own fields are kept", async () => {
  server.answerWith({ body: completion({ content: "Fine." }) });
  await ask({}, { model: "openai/gpt-5-mini", verbosity: "low" });
  expect(server.last()?.body).toMatchObject({ max_completion_tokens: 100, verbosity: "low" });
  expect(server.last()?.body).not.toHaveProperty("max_tokens");
});

test("a vendor with a third wire is asked, too, and its signed thoughts go both ways", async () => {
  server.answerWith({
    body: JSON.stringify({
      output: {
        message: {
          role: "assistant",
          content: [{ reasoningContent: { reasoningText: { text: "Hm.", signature: "c2ln" } } }, { text: "Hi" }],
        },
      },
      stopReason: "end_turn",
      usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 },
    }),
  });
  const thought = { type: "thinking", thinking: "Before.", signature: "b2xk" };
  const history = [
    { role: "user", content: "Hello" },
    { role: "assistant", content: [thought, { type: "text", text: "Hi" }] },
    { role: "user", content: [{ type: "text", text: "And?", cache_control: { type: "ephemeral" } }] },
  ];
  const answer = await read(await ask({ messages: history }, {}, bedrockCases));
  expect(answer.content).toEqual([
    { type: "thinking", thinking: "Hm.", signature: "c2ln" },
    { type: "text", text: "Hi" },
  ]);
  expect(server.last()?.body).toMatchObject({
    messages: [
      {},
      { content: [{ reasoningContent: { reasoningText: { text: "Before.", signature: "b2xk" } } }, { text: "Hi" }] },
      { content: [{ text: "And?" }, { cachePoint: { type: "default" } }] },
    ],
  });
});
