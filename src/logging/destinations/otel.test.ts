import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { sendJson, startFakeServer } from "../../../e2e/fakes/fake-server.ts";
import { startFakeCollector } from "../../../e2e/fakes/otlp.ts";
import type { CollectedSpan, FakeCollector } from "../../../e2e/fakes/otlp.ts";
import { UpstreamError } from "#lib/errors.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import type { DeliveryResult } from "#logging/destinations/destination.ts";
import { otel } from "#logging/destinations/otel.ts";
import { noUsage } from "#logging/record.ts";
import type { LogRecord } from "#logging/record.ts";
import { makeRecord } from "#testing/make-record.ts";

const token = "very-secret-token-of-team";
const context = { callbackId: "callback-1", reach: "operator", signal: new AbortController().signal } as const;

let fake: FakeCollector;

beforeAll(async () => {
  fake = await startFakeCollector({ headers: { authorization: `Bearer ${token}` } });
});

afterEach(() => {
  fake.reset();
});

afterAll(async () => {
  await closeUpstreams();
  await fake.close();
});

function makeVars(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { otel_endpoint: fake.url, otel_headers: `Authorization=Bearer%20${token}`, ...changes };
}

function deliver(records: LogRecord[], vars = makeVars()): Promise<readonly DeliveryResult[]> {
  return otel.deliver(records, vars, context);
}

async function show(record: LogRecord, vars = makeVars()): Promise<CollectedSpan> {
  expect(await deliver([record], vars)).toEqual([{ outcome: "delivered", status: 200 }]);
  const [span, ...others] = fake.spans;
  if (!span || others.length > 0) throw new Error("There is not exactly one span.");
  return span;
}

async function fault(delivery: Promise<unknown>): Promise<UpstreamError> {
  const error = await delivery.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UpstreamError)) throw new Error(`No UpstreamError: ${String(error)}`);
  expect(`${error.message} ${error.body}`).not.toContain(token);
  return error;
}

/** The JSON in a text attribute. */
function json(span: CollectedSpan, key: string): unknown {
  return JSON.parse(String(span.attributes[key]));
}

describe.each(["http/json", "http/protobuf"])("over %s", (otel_protocol) => {
  const vars = (): Record<string, unknown> => makeVars({ otel_protocol });

  test("a call is one client span by the GenAI conventions", async () => {
    const span = await show(makeRecord(), vars());
    expect(span).toMatchObject({
      encoding: otel_protocol.slice("http/".length),
      name: "chat gpt-4o-2024-08-06",
      kind: 3,
      traceId: "11111111222243338444555555555555",
      parentSpanId: null,
      startTimeUnixNano: "1763688569123457000",
      endTimeUnixNano: "1763688570500000000",
      status: { code: 0 },
      resourceAttributes: { "service.name": "sluice" },
      scopeName: "sluice",
    });
    expect(span.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(span.attributes).toEqual({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-4o-2024-08-06",
      "gen_ai.request.temperature": 0.2,
      "gen_ai.response.id": "chatcmpl-1",
      "gen_ai.response.model": "gpt-4o-2024-08-06",
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.usage.input_tokens": 10,
      "gen_ai.usage.output_tokens": 20,
      "server.address": "api.openai.com",
      "server.port": 443,
      "sluice.record_id": "01980000-0000-7000-8000-000000000001",
      "litellm.call_id": "11111111-2222-4333-8444-555555555555",
      "litellm.call_type": "acompletion",
      "litellm.model_group": "gpt-4o",
      "litellm.team.id": "team-1",
      "litellm.team.alias": "Team One",
      "litellm.api_key.hash": "c0ffee".padEnd(64, "0"),
      "litellm.api_key.alias": "my-key",
      "litellm.user.id": "user-1",
      "litellm.end_user.id": "end-user-1",
      "litellm.request_tags": ["tag-1", "User-Agent: curl"],
      "litellm.cost.total": 0.000035,
      "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hello!"}]}]',
      "gen_ai.output.messages":
        '[{"role":"assistant","parts":[{"type":"text","content":"Hi, how can I help?"}],"finish_reason":"stop"}]',
    });
  });

  test("a partial success: the rejected record alone is dead with the collector's words", async () => {
    const reject = { isRejected: (span: { name: string }) => span.name === "chat bad", words: "span too odd" };
    fake.setBehaviour({ reject });
    const records = ["a", "b", "bad", "c", "d"].map((model) => makeRecord({ recordId: `record-${model}`, model }));
    const results = await deliver(records, vars());
    expect(results.map(({ outcome }) => outcome)).toEqual(["delivered", "delivered", "dead", "delivered", "delivered"]);
    expect(results[2]?.message).toContain("span too odd");
  });

  test("an export without spans is what a check sends", async () => {
    expect(await otel.check(vars(), context)).toEqual({
      state: "healthy",
      message: `${new URL(fake.url).host} takes traces (${otel_protocol})`,
      target: `${fake.url}/v1/traces`,
    });
    expect(fake.spans).toEqual([]);
    expect(await otel.check({ ...vars(), otel_headers: "" }, context)).toMatchObject({ state: "unhealthy" });
  });

  test("a server that says 200 to everything is no proof", async () => {
    const anything = await startFakeServer((_request, response) =>
      sendJson(response, { status: 200, body: { ok: 1 } }),
    );
    const result = await otel.check({ ...vars(), otel_endpoint: anything.url }, context);
    await anything.close();
    expect(result).toMatchObject({ state: "unverified", target: `${anything.url}/v1/traces` });
    expect(result.message).toContain("it may drop traces");
  });
});

describe("the span", () => {
  test("names cached, written and reasoning tokens, parameters and the first chunk's time", async () => {
    const { attributes } = await show(
      makeRecord({
        stream: true,
        completionStartTimeMs: 1_763_688_569_623.457,
        usage: {
          ...noUsage,
          promptTokens: 9,
          completionTokens: 7,
          cacheReadTokens: 4,
          cacheWriteTokens: 2,
          reasoningTokens: 5,
        },
        modelParameters: {
          max_completion_tokens: 100,
          stop: "END",
          n: 2,
          seed: 7,
          response_format: { type: "json_object" },
        },
        requesterMetadata: { session_id: "conversation-1" },
        provider: "bedrock",
        apiBase: "http://10.0.0.1:8080/v1",
      }),
    );
    expect(attributes).toMatchObject({
      "gen_ai.usage.input_tokens": 9,
      "gen_ai.usage.output_tokens": 7,
      "gen_ai.usage.cache_read.input_tokens": 4,
      "gen_ai.usage.cache_creation.input_tokens": 2,
      "gen_ai.usage.reasoning.output_tokens": 5,
      "gen_ai.request.max_tokens": 100,
      "gen_ai.request.stop_sequences": ["END"],
      "gen_ai.request.choice.count": 2,
      "gen_ai.request.seed": 7,
      "gen_ai.request.stream": true,
      "gen_ai.output.type": "json",
      "gen_ai.conversation.id": "conversation-1",
      "gen_ai.provider.name": "aws.bedrock",
      "server.address": "10.0.0.1",
      "server.port": 8080,
    });
    expect(attributes["gen_ai.response.time_to_first_chunk"]).toBeCloseTo(0.5, 3);
  });

  test("of a failure has the error's class and text and no content of an answer", async () => {
    const error = { code: "429", class: "RateLimitError", message: "slow down" };
    const span = await show(makeRecord({ status: "failure", response: null, usage: noUsage, error, provider: null }));
    expect(span.status).toEqual({ code: 2, message: "slow down" });
    expect(span.attributes).toMatchObject({ "error.type": "RateLimitError", "gen_ai.provider.name": "unknown" });
    expect(span.attributes).not.toHaveProperty("gen_ai.output.messages");
    expect(span.attributes).not.toHaveProperty("litellm.cost.total");
  });

  test("keeps hex ids of the client and hashes all others", async () => {
    const hex = { trace_id: "0AF7651916CD43DD8448EB211C80319C", parent_observation_id: "b7ad6b7169203331" };
    const kept = await show(makeRecord({ requesterMetadata: hex }));
    expect(kept).toMatchObject({ traceId: "0af7651916cd43dd8448eb211c80319c", parentSpanId: "b7ad6b7169203331" });
    fake.reset();
    const hashed = await show(makeRecord({ requesterMetadata: { trace_id: "my trace", parent_observation_id: "p" } }));
    // The first bytes of the SHA-256, as Langfuse's own clients derive them.
    expect(hashed).toMatchObject({ traceId: "59a35532f7322d301500ce91cbbdb56b", parentSpanId: "148de9c5a7a44d19" });
  });

  test("shows nothing that redaction or the client's masks took away", async () => {
    const secret = "canary-prompt";
    const record = makeRecord({
      input: {
        messages: [{ role: "user", content: secret }],
        tools: [{ type: "function", function: { name: secret } }],
      },
      requesterMetadata: { mask_input: true, mask_output: true, anything: secret },
      status: "failure",
      response: null,
      error: { code: "400", class: "BadRequestError", message: secret },
    });
    expect(JSON.stringify(await show(record))).not.toContain(secret);
  });

  test.each([
    ["aembedding", "embeddings"],
    ["atext_completion", "text_completion"],
    ["aresponses", "chat"],
    ["anthropic_messages", "chat"],
    ["aimage_generation", "image_generation"],
    ["", "chat"],
  ])("of the call type %j is named after %s", async (callType, operation) => {
    expect((await show(makeRecord({ callType }))).name).toBe(`${operation} gpt-4o-2024-08-06`);
  });
});

describe("messages become roles and parts", () => {
  test("instructions, media, tool calls and their results", async () => {
    const call = { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Rome"}' } };
    const span = await show(
      makeRecord({
        input: {
          messages: [
            { role: "system", content: "Be brief." },
            { role: "user", content: [{ type: "text", text: "What is this?" }, imageOf("https://x.example/a.png")] },
            { role: "user", content: [imageOf("data:image/png;base64,AAAA")] },
            { role: "assistant", content: null, tool_calls: [call] },
            { role: "tool", tool_call_id: "call_1", content: "sunny" },
          ],
          tools: [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }],
        },
        response: {
          choices: [
            {
              finish_reason: "tool_calls",
              message: { role: "assistant", reasoning_content: "hm", tool_calls: [call] },
            },
          ],
        },
      }),
    );
    const toolCall = { type: "tool_call", id: "call_1", name: "weather", arguments: { city: "Rome" } };
    expect(json(span, "gen_ai.system_instructions")).toEqual([{ type: "text", content: "Be brief." }]);
    expect(json(span, "gen_ai.input.messages")).toEqual([
      {
        role: "user",
        parts: [
          { type: "text", content: "What is this?" },
          { type: "uri", modality: "image", uri: "https://x.example/a.png" },
        ],
      },
      { role: "user", parts: [{ type: "blob", modality: "image", mime_type: "image/png", content: "AAAA" }] },
      { role: "assistant", parts: [toolCall] },
      { role: "tool", parts: [{ type: "tool_call_response", id: "call_1", response: "sunny" }] },
    ]);
    expect(json(span, "gen_ai.output.messages")).toEqual([
      { role: "assistant", parts: [{ type: "reasoning", content: "hm" }, toolCall], finish_reason: "tool_calls" },
    ]);
    expect(json(span, "gen_ai.tool.definitions")).toEqual([
      { type: "function", name: "weather", parameters: { type: "object" } },
    ]);
  });

  test("the answers of Anthropic's and the Responses API", async () => {
    const content = [
      { type: "thinking", thinking: "hm" },
      { type: "text", text: "Hi" },
      { type: "tool_use", id: "t", name: "f", input: {} },
    ];
    const message = await show(makeRecord({ response: { type: "message", content, stop_reason: "tool_use" } }));
    expect(json(message, "gen_ai.output.messages")).toEqual([
      {
        role: "assistant",
        parts: [
          { type: "reasoning", content: "hm" },
          { type: "text", content: "Hi" },
          { type: "tool_call", id: "t", name: "f", arguments: {} },
        ],
        finish_reason: "tool_use",
      },
    ]);
    fake.reset();
    const output = [
      { type: "message", content: [{ type: "output_text", text: "Hi" }] },
      { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
    ];
    const responses = await show(makeRecord({ callType: "aresponses", response: { status: "completed", output } }));
    expect(json(responses, "gen_ai.output.messages")).toEqual([
      {
        role: "assistant",
        parts: [
          { type: "text", content: "Hi" },
          { type: "tool_call", id: "c", name: "f", arguments: {} },
        ],
        finish_reason: "stop",
      },
    ]);
  });

  test.each([
    ["text", "just a text"],
    ["no messages", null],
    ["odd messages", [1, null, { role: 5, content: { a: 1 } }, { role: "user", content: [{ odd: true }, 3] }]],
  ])("%s makes nothing fail", async (_title, messages) => {
    await show(makeRecord({ input: { messages }, response: { choices: [null, {}, { message: 7 }] } }));
  });
});

describe("what the collector answers decides what becomes of the records", () => {
  test.each([
    [429, "transient"],
    [500, "transient"],
    [502, "transient"],
    [503, "transient"],
    [504, "transient"],
    [401, "destination"],
    [403, "destination"],
    [404, "destination"],
    [415, "destination"],
    [302, "destination"],
  ])("a %i is a fault of kind %s for the whole batch", async (status, kind) => {
    fake.setBehaviour({ status, body: { message: `words about ${token}` }, headers: { "retry-after": "7" } });
    const error = await fault(deliver([makeRecord(), makeRecord()]));
    expect(error).toMatchObject({ status, fault: kind, retryAfterMs: 7000 });
    expect(fake.requests).toHaveLength(1);
  });

  test.each([400, 422])("a %i is never sent again", async (status) => {
    fake.setBehaviour({ status, body: { message: "no" } });
    const results = await deliver([makeRecord()]);
    expect(results).toEqual([
      { outcome: "dead", status, message: `The collector at ${new URL(fake.url).host} said ${String(status)}: no` },
    ]);
    expect(fake.requests).toHaveLength(1);
  });

  test("a record that is too large goes without its messages, one that stays too large is dead", async () => {
    fake.setBehaviour({ bodyBytesMax: 6_000 });
    const large = makeRecord({
      recordId: "large",
      input: { messages: [{ role: "user", content: "x".repeat(9_000) }] },
    });
    const results = await deliver([makeRecord(), large]);
    expect(results[0]).toEqual({ outcome: "delivered", status: 200 });
    expect(results[1]?.message).toContain("without messages");
    expect(fake.spans).toHaveLength(2);
    fake.setBehaviour({ bodyBytesMax: 100 });
    expect(await deliver([makeRecord()])).toMatchObject([{ outcome: "dead", status: 413 }]);
  });

  test("a web page is no delivery, and nobody there is passing", async () => {
    fake.setBehaviour({ status: 200, body: "<html>sign in</html>" });
    expect(await fault(deliver([makeRecord()]))).toMatchObject({ status: 200, fault: "destination" });
    const nobody = makeVars({ otel_endpoint: "http://127.0.0.1:1" });
    expect(await fault(deliver([makeRecord()], nobody))).toMatchObject({ status: 0, fault: "transient" });
  });

  test("a missing endpoint and headers that cannot be read wait for a correction", async () => {
    expect(await fault(deliver([makeRecord()], {}))).toMatchObject({ status: 0, fault: "destination" });
    const error = await fault(deliver([makeRecord()], makeVars({ otel_headers: `{"a": "${token}"` })));
    expect(error).toMatchObject({ fault: "destination" });
  });

  test("every retry is the same span, and another callback's is another", async () => {
    await deliver([makeRecord()]);
    await deliver([makeRecord()]);
    await otel.deliver([makeRecord()], makeVars(), { ...context, callbackId: "callback-2" });
    const [first, second, third] = fake.spans.map(({ spanId }) => spanId);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });
});

test("a preview shows the request without its credentials", async () => {
  const preview = await otel.preview(makeRecord(), makeVars(), context);
  expect(preview).toMatchObject({ method: "POST", url: `${fake.url}/v1/traces`, headers: { authorization: "***" } });
  expect(preview.body).toContain("Hello!");
  expect(JSON.stringify(preview)).not.toContain(token);
});

function imageOf(url: string) {
  return { type: "image_url", image_url: { url } };
}
