import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { startFakeLangfuse } from "../../../e2e/fakes/langfuse.ts";
import type { FakeLangfuse } from "../../../e2e/fakes/langfuse.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import { noUsage } from "#logging/record.ts";
import type { LogRecord } from "#logging/record.ts";
import { makeLangfuseProject, testProject } from "#testing/langfuse-project.ts";
import { makeRecord } from "#testing/make-record.ts";

const Input = z.object({ messages: z.array(z.object({ content: z.string() })) });
const traceId = "11111111222243338444555555555555";

let fake: FakeLangfuse;

beforeAll(async () => {
  fake = await startFakeLangfuse({ projects: [testProject], verbatimIds: true });
});

afterEach(() => {
  fake.reset();
});

afterAll(async () => {
  await closeUpstreams();
  await fake.close();
});

/** What the project shows for a record. */
function show(record: LogRecord, vars: Record<string, unknown> = {}) {
  return makeLangfuseProject(fake).show(record, vars);
}

describe("a record becomes a generation", () => {
  test("a plain success without metadata carries content, usage, cost and whose call it was", async () => {
    const span = await show(makeRecord());
    expect(span).toMatchObject({
      traceId,
      parentSpanId: null,
      isRoot: true,
      name: "litellm:my-key",
      kind: 3,
      type: "generation",
      startTimeUnixNano: "1763688569123457000",
      endTimeUnixNano: "1763688570500000000",
      completionStartTime: "2025-11-21T01:29:30.500Z",
      status: { code: 0, message: "" },
      level: "DEFAULT",
      statusMessage: null,
      traceName: "litellm-acompletion",
      userId: "end-user-1",
      sessionId: null,
      tags: ["tag-1", "User-Agent: curl"],
      version: null,
      release: null,
      public: false,
      environment: "default",
      model: "gpt-4o-2024-08-06",
      modelParameters: { temperature: 0.2 },
      input: { messages: [{ role: "user", content: "Hello!" }] },
      output: { role: "assistant", content: "Hi, how can I help?" },
      usage: { input: 10, output: 20, total: 30, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
      cost: { total: 0.000035 },
      promptName: null,
      traceMetadata: {},
    });
    expect(span.metadata).toEqual({
      user_api_key_hash: "c0ffee".padEnd(64, "0"),
      user_api_key_alias: "my-key",
      user_api_key_user_id: "user-1",
      user_api_key_user_email: "owner@example.com",
      user_api_key_team_id: "team-1",
      user_api_key_team_alias: "Team One",
      user_api_key_end_user_id: "end-user-1",
      user_api_key_request_route: "/v1/chat/completions",
      requester_ip_address: "192.0.2.7",
      user_agent: "curl/8.5.0",
      model_group: "gpt-4o",
      api_base: "https://api.openai.com/v1/",
      litellm_response_cost: 0.000035,
      litellm_call_id: "11111111-2222-4333-8444-555555555555",
      record_id: "01980000-0000-7000-8000-000000000001",
    });
    expect(span.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(span.resourceAttributes).toEqual({ "service.name": "sluice" });
  });

  test("a key without alias gives the generation LiteLLM's default name", async () => {
    const { caller } = makeRecord();
    const span = await show(makeRecord({ caller: { ...caller, keyAlias: null } }));
    expect(span.name).toBe("litellm-acompletion");
  });

  test("a stream shows its first chunk's time and that the client left", async () => {
    const span = await show(
      makeRecord({ stream: true, completionStartTimeMs: 1_763_688_569_323.5, clientDisconnected: true }),
    );
    expect(span.completionStartTime).toBe("2025-11-21T01:29:29.323Z");
    expect(span.metadata["client_disconnected"]).toBe(true);
    expect(span.level).toBe("DEFAULT");
  });

  test("a failure shows its error as level, status and output and has neither usage nor cost", async () => {
    const error = { code: "429", class: "RateLimitError", message: "RateLimitError: slow down" };
    const span = await show(makeRecord({ status: "failure", response: null, usage: noUsage, error }));
    expect(span).toMatchObject({
      level: "ERROR",
      status: { code: 2, message: "RateLimitError: slow down" },
      statusMessage: "RateLimitError: slow down",
      output: "RateLimitError: slow down",
      input: { messages: [{ role: "user", content: "Hello!" }] },
      usage: null,
      cost: null,
    });
    expect(span.metadata).toMatchObject({ error_code: "429", error_class: "RateLimitError" });
  });

  test("cached tokens are buckets beside the input tokens, never counted twice", async () => {
    const usage = { ...noUsage, promptTokens: 11, completionTokens: 4, totalTokens: 15, cacheReadTokens: 4 };
    const span = await show(makeRecord({ usage: { ...usage, cacheWriteTokens: 2 } }));
    expect(span.usage).toEqual({
      input: 5,
      output: 4,
      total: 15,
      cache_read_input_tokens: 4,
      cache_creation_input_tokens: 2,
    });
  });

  test("a picture or a recording without tokens shows what it cost", async () => {
    const span = await show(makeRecord({ usage: noUsage, responseCostUsd: 0.04 }));
    expect(span).toMatchObject({ usage: { input: 0, output: 0, total: 0 }, cost: { total: 0.04 } });
    expect(await show(makeRecord({ usage: noUsage, responseCostUsd: 0 }))).toMatchObject({ usage: null, cost: null });
  });

  test("tools are part of the input and tool calls of the output", async () => {
    const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }];
    const functions = [{ name: "old" }];
    const call = { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Rome"}' } };
    const message = { role: "assistant", content: null, tool_calls: [call] };
    const span = await show(
      makeRecord({ input: { messages: [], tools, functions }, response: { choices: [{ index: 0, message }] } }),
    );
    expect(span.input).toEqual({ messages: [], functions, tools });
    expect(span.output).toEqual(message);
  });

  test.each([
    ["text completion", "atext_completion", { choices: [{ text: "Once upon" }] }, "Once upon"],
    ["embedding", "aembedding", { object: "list", data: [{ embedding: [0.1] }] }, null],
    ["no choices", "acompletion", { choices: [] }, null],
    ["responses", "aresponses", { output: [{ type: "message" }] }, [{ type: "message" }]],
    ["image", "aimage_generation", { created: 1, data: [{ url: "u" }] }, [{ url: "u" }]],
    [
      "messages",
      "acompletion",
      { type: "message", role: "assistant", content: [], id: "x" },
      { role: "assistant", content: [] },
    ],
  ])("the output of %s is what people look for", async (...[, callType, response, output]) => {
    expect((await show(makeRecord({ callType, response }))).output).toEqual(output);
  });

  test("model parameters that are no scalars become text", async () => {
    const modelParameters = { stop: ["a"], seed: 1, stream: true, response_format: { type: "json_object" } };
    const span = await show(makeRecord({ modelParameters }));
    expect(span.modelParameters).toEqual({
      stop: '["a"]',
      seed: 1,
      stream: true,
      response_format: '{"type":"json_object"}',
    });
  });

  test("a long text is cut with a marker and its length while the JSON around it stays valid", async () => {
    const content = `${"é\n".repeat(30_000)}the end`;
    const span = await show(
      makeRecord({
        input: {
          messages: [
            { role: "user", content },
            { role: "user", content: "short" },
          ],
        },
      }),
    );
    const [cut, short] = Input.parse(span.input).messages;
    expect(short?.content).toBe("short");
    expect(cut?.content).toMatch(/^(é\n)+é?\.\.\.\(truncated\) \[60007 characters\]$/);
    expect(Buffer.byteLength(JSON.stringify(cut?.content))).toBeLessThanOrEqual(32 * 1024 + 2);
    expect(Buffer.byteLength(JSON.stringify(cut?.content))).toBeGreaterThan(32 * 1024 - 64);
  });

  test("every retry is the same span, and another callback's is another", async () => {
    await makeLangfuseProject(fake).deliver([makeRecord()]);
    await makeLangfuseProject(fake).deliver([makeRecord()]);
    expect(fake.project("project-1").spans).toHaveLength(1);
    expect(fake.project("project-1").spans[0]?.receivedCount).toBe(2);
    await makeLangfuseProject(fake).deliver([makeRecord()], {}, { callbackId: "callback-2" });
    expect(fake.project("project-1").spans).toHaveLength(2);
  });
});
