import { describe, expect, test } from "vitest";
import { toIngestionEvents } from "#logging/destinations/langfuse-ingestion-event.ts";
import { toLangfuseSpan } from "#logging/destinations/langfuse-span.ts";
import { isJsonObject } from "#logging/record.ts";
import type { Json, JsonObject, LogRecord } from "#logging/record.ts";
import { makeRecord } from "#testing/make-record.ts";

/**
 * What LiteLLM's own tests expect of a call, field by field, but for ids and times: the same call recorded here has to
 * show in Langfuse in the same way.
 */

const greeting = { messages: [{ role: "user", content: "Hello!" }] };
const reply = {
  content: "Hello! How can I assist you today?",
  role: "assistant",
  tool_calls: null,
  function_call: null,
  provider_specific_fields: null,
};
const nobody = { userId: null, userEmail: null, teamId: null, teamAlias: null, organizationId: null };
const options = { callbackId: "callback-1", environment: null, promptVersion: null, brief: false };

/** The call that all of them record: one greeting, 10 and 20 tokens, no key alias, no end user. */
function makeGreeting(changes: Partial<LogRecord> = {}): LogRecord {
  return makeRecord({
    model: "gpt-3.5-turbo",
    apiBase: "https://api.openai.com",
    modelParameters: { extra_body: {} },
    response: { choices: [{ index: 0, finish_reason: "stop", message: reply }] },
    responseCostUsd: 0.000035,
    cacheHit: false,
    caller: { keyHash: null, keyAlias: null, ...nobody },
    endUser: null,
    requestTags: [],
    ...changes,
  });
}

/** A span's attributes, JSON parsed, without times and what the gateway adds to the metadata. */
function attributesOf(record: LogRecord): JsonObject {
  const attributes = toLangfuseSpan(record, options).attributes.map(({ key, value }): [string, Json] => {
    if ("arrayValue" in value) return [key, value.arrayValue.values.map((item) => Object.values(item).join(""))];
    if (!("stringValue" in value))
      return [key, "boolValue" in value ? value.boolValue : Number(Object.values(value)[0])];
    const plain = value.stringValue;
    if (!plain.startsWith("{")) return [key, plain];
    const parsed: unknown = JSON.parse(plain);
    return [key, isJsonObject(parsed) ? parsed : plain];
  });
  const own = new Set(Object.keys(toGateway(record)).map((name) => `langfuse.observation.metadata.${name}`));
  const added = ["langfuse.observation.completion_start_time", "langfuse.internal.as_root"];
  return Object.fromEntries(attributes.filter(([key]) => !own.has(key) && !added.includes(key)));
}

/** What the gateway says of a call, whatever the client said. */
function toGateway(record: LogRecord): JsonObject {
  const [, generation] = toIngestionEvents({ ...record, requesterMetadata: {} }, options);
  return generation?.body.metadata ?? {};
}

const commonAttributes = {
  "langfuse.observation.cost_details": { total: 0.000035 },
  "langfuse.observation.input": greeting,
  "langfuse.observation.level": "DEFAULT",
  "langfuse.observation.model.name": "gpt-3.5-turbo",
  "langfuse.observation.model.parameters": { extra_body: "{}" },
  "langfuse.observation.output": reply,
  "langfuse.observation.type": "generation",
  "langfuse.observation.usage_details": {
    input: 10,
    output: 20,
    total: 30,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
  },
};

describe("over OpenTelemetry", () => {
  test("a call without metadata has LiteLLM's names and nothing of a user, a session or tags", () => {
    const record = makeGreeting();
    const span = toLangfuseSpan(record, options);
    expect(span).toMatchObject({ name: "litellm-acompletion", status: { code: 0 } });
    expect(span.parentSpanId).toBeUndefined();
    expect(attributesOf(record)).toEqual({ ...commonAttributes, "langfuse.trace.name": "litellm-acompletion" });
  });

  test("a call with all of Langfuse's metadata steers trace and generation", () => {
    const record = makeGreeting({
      requestTags: ["test_tag", "test_tag_2"],
      requesterMetadata: {
        trace_id: "the trace",
        trace_name: "test_trace_name",
        generation_name: "test_generation_name",
        parent_observation_id: "0123456789abcdef",
        session_id: "test_session_id",
        trace_user_id: "test_user_id",
        trace_version: "test_trace_version",
        trace_release: "test_trace_release",
        trace_metadata: { test_key: "test_value" },
      },
    });
    const span = toLangfuseSpan(record, options);
    expect(span).toMatchObject({ name: "test_generation_name", parentSpanId: "0123456789abcdef" });
    expect(attributesOf(record)).toEqual({
      ...commonAttributes,
      "langfuse.observation.metadata.test_key": "test_value",
      "langfuse.trace.metadata.test_key": "test_value",
      "langfuse.release": "test_trace_release",
      "langfuse.trace.name": "test_trace_name",
      "langfuse.trace.tags": ["test_tag", "test_tag_2"],
      "langfuse.version": "test_trace_version",
      "session.id": "test_session_id",
      "user.id": "test_user_id",
    });
  });
});

describe("over the old ingestion batch", () => {
  const usage = { input: 10, output: 20, unit: "TOKENS", totalCost: 0.000035 };
  const counts = { cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  /** Ids and times are judged elsewhere. */
  const any: Record<string, unknown> = { id: anyText(), timestamp: anyText() };

  test("a plain completion is a trace and a generation", () => {
    const [trace, generation] = toIngestionEvents(makeGreeting(), options);
    expect(trace).toEqual({
      ...any,
      type: "trace-create",
      body: { ...any, name: "litellm-acompletion", input: greeting, output: reply, tags: [] },
    });
    expect(generation).toMatchObject({
      type: "generation-create",
      body: {
        name: "litellm-acompletion",
        traceId: trace?.body.id,
        input: greeting,
        output: reply,
        level: "DEFAULT",
        model: "gpt-3.5-turbo",
        modelParameters: { extra_body: "{}" },
        usage,
        usageDetails: { input: 10, output: 20, total: 30, ...counts },
        metadata: { api_base: "https://api.openai.com", litellm_response_cost: 0.000035, cache_hit: false },
      },
    });
  });

  test("a masked completion shows the mask in both and keeps usage and cost", () => {
    const requesterMetadata = { mask_input: true, mask_output: true };
    const [trace, generation] = toIngestionEvents(makeGreeting({ requesterMetadata }), options);
    const masked = { input: "redacted-by-litellm", output: "redacted-by-litellm" };
    expect(trace?.body).toEqual({ ...any, name: "litellm-acompletion", ...masked, tags: [] });
    expect(generation?.body).toMatchObject({ ...masked, usage, level: "DEFAULT", model: "gpt-3.5-turbo" });
    expect(JSON.stringify([trace, generation])).not.toContain("Hello!");
  });
});

/** vitest's matchers are typed as any. */
function anyText(): unknown {
  return expect.any(String);
}
