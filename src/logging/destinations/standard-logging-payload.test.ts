import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { toStandardLoggingPayload } from "#logging/destinations/standard-logging-payload.ts";
import { noUsage } from "#logging/record.ts";
import { makeRecord } from "#testing/make-record.ts";

const count = { type: "integer", minimum: 0 };
const moment = { type: "number", exclusiveMinimum: 1_000_000_000, exclusiveMaximum: 10_000_000_000 };
const textOrNull = { type: ["string", "null"] };
const filledText = { type: "string", minLength: 1 };

/** What readers of LiteLLM's payload rely on, in JSON Schema. */
const payloadSchema = {
  type: "object",
  required: [
    ...["id", "call_type", "status", "response_cost", "total_tokens", "prompt_tokens", "completion_tokens"],
    ...["model", "messages", "hidden_params", "trace_id", "startTime", "endTime", "completionStartTime"],
    ...["metadata", "request_tags", "end_user", "error_str", "error_information", "model_parameters"],
    ...["model_group", "custom_llm_provider", "cache_hit", "response", "record_id", "client_disconnected"],
  ],
  properties: {
    id: filledText,
    record_id: filledText,
    client_disconnected: { type: "boolean" },
    trace_id: textOrNull,
    call_type: filledText,
    stream: { type: ["boolean", "null"] },
    status: { enum: ["success", "failure"] },
    response_cost: { type: "number", minimum: 0 },
    total_tokens: count,
    prompt_tokens: count,
    completion_tokens: count,
    model: { ...filledText, not: { pattern: "^(?:[Uu][Nn][Kk][Nn][Oo][Ww][Nn])$" } },
    custom_llm_provider: textOrNull,
    messages: { type: "array", items: { type: "object" } },
    startTime: moment,
    endTime: moment,
    completionStartTime: moment,
    response_time: { type: "number", minimum: 0 },
    api_base: { type: "string" },
    model_id: textOrNull,
    model_group: textOrNull,
    model_parameters: { type: "object" },
    hidden_params: {
      type: "object",
      required: [
        ...["model_id", "cache_key", "api_base", "response_cost", "litellm_overhead_time_ms", "additional_headers"],
        ...["batch_models", "litellm_model_name", "usage_object"],
      ],
    },
    metadata: {
      type: "object",
      required: [
        ...["user_api_key_hash", "user_api_key_alias", "user_api_key_team_id", "user_api_key_org_id"],
        ...["user_api_key_user_id", "user_api_key_team_alias", "user_api_key_user_email", "spend_logs_metadata"],
        ...["requester_ip_address", "requester_metadata", "user_api_key_end_user_id", "applied_guardrails"],
        ...["prompt_management_metadata", "mcp_tool_call_metadata", "vector_store_request_metadata"],
      ],
    },
    error_str: textOrNull,
    error_information: {
      type: "object",
      required: ["error_code", "error_class", "llm_provider", "traceback", "error_message"],
      additionalProperties: { type: "string" },
    },
    cache_hit: { type: ["boolean", "null"] },
    request_tags: { type: "array", items: { type: "string" } },
    model_map_information: { type: "object", required: ["model_map_key", "model_map_value"] },
  },
};

/** Chat answers only: embeddings and failures have no choices. */
const chatSchema = {
  properties: {
    response: {
      type: "object",
      required: ["choices"],
      properties: {
        choices: {
          type: "array",
          minItems: 1,
          items: {
            type: "object",
            required: ["message"],
            properties: {
              message: {
                type: "object",
                required: ["content", "role"],
                properties: { content: filledText, role: { type: "string" } },
              },
            },
          },
        },
      },
    },
  },
};

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictTypes: false, strictRequired: false });
const isPayload = ajv.compile(payloadSchema);
const isChat = ajv.compile(chatSchema);

function problems(value: unknown, isChatAnswer: boolean): unknown {
  isPayload(value);
  isChat(value);
  return [...(isPayload.errors ?? []), ...(isChatAnswer ? (isChat.errors ?? []) : [])];
}

test("the schema of the test refuses a payload with a field missing or of another type", () => {
  const { id, ...payload } = toStandardLoggingPayload(makeRecord());
  expect(id).toBeTypeOf("string");
  expect(problems(payload, true)).not.toEqual([]);
  expect(problems({ ...payload, id, startTime: "2025-01-24 09:20:46" }, true)).not.toEqual([]);
});

test("a chat answer fits LiteLLM's payload and carries our own fields beside it", () => {
  const payload = toStandardLoggingPayload(makeRecord());
  expect(problems(payload, true)).toEqual([]);
  expect(payload).toMatchObject({
    id: "chatcmpl-1",
    trace_id: "11111111-2222-4333-8444-555555555555",
    litellm_call_id: "11111111-2222-4333-8444-555555555555",
    record_id: "01980000-0000-7000-8000-000000000001",
    client_disconnected: false,
    status: "success",
    stream: null,
    startTime: 1763688569.123457,
    endTime: 1763688570.5,
    completionStartTime: 1763688570.5,
    response_time: 1.376543,
    response_cost: 0.000035,
    model: "gpt-4o-2024-08-06",
    model_group: "gpt-4o",
    api_base: "https://api.openai.com/v1",
    end_user: "end-user-1",
    error_str: null,
    error_information: { error_code: "", error_class: "", llm_provider: "", traceback: "", error_message: "" },
    hidden_params: { litellm_model_name: "gpt-4o-2024-08-06", usage_object: { total_tokens: 30 } },
    metadata: {
      user_api_key_alias: "my-key",
      user_api_key_team_id: "team-1",
      user_api_key_spend: 1.25,
      user_api_key_max_budget: 50,
    },
  });
});

test("a streamed answer's response time is the time to its first chunk", () => {
  const payload = toStandardLoggingPayload(makeRecord({ stream: true, completionStartTimeMs: 1_763_688_569_323.457 }));
  expect(problems(payload, true)).toEqual([]);
  expect(payload).toMatchObject({ stream: true, response_time: 0.2, completionStartTime: 1763688569.323457 });
});

test("a failure before routing has no answer, tokens or upstream but names its error", () => {
  const payload = toStandardLoggingPayload(
    makeRecord({
      status: "failure",
      stream: true,
      response: null,
      responseId: null,
      usage: noUsage,
      responseCostUsd: 0,
      provider: null,
      apiBase: null,
      modelId: null,
      modelGroup: null,
      error: { code: "429", class: "RateLimitError", message: "Too many requests" },
    }),
  );
  expect(problems(payload, false)).toEqual([]);
  expect(payload).toMatchObject({
    id: "11111111-2222-4333-8444-555555555555",
    stream: null,
    response: {},
    total_tokens: 0,
    api_base: "",
    model_id: "",
    model_group: "",
    custom_llm_provider: null,
    error_str: "Too many requests",
    error_information: { error_code: "429", error_class: "RateLimitError", error_message: "Too many requests" },
  });
});

test("the session, then the client's trace id, names the trace", () => {
  const withBoth = makeRecord({ requesterMetadata: { session_id: "s", trace_id: "t" } });
  expect(toStandardLoggingPayload(withBoth)["trace_id"]).toBe("s");
  const withTrace = makeRecord({ requesterMetadata: { session_id: 5, trace_id: "t" } });
  expect(toStandardLoggingPayload(withTrace)["trace_id"]).toBe("t");
});

test("a bare prompt becomes a user message and no messages an empty list", () => {
  const prompt = toStandardLoggingPayload(makeRecord({ input: { messages: "Hello" } }));
  expect(prompt["messages"]).toEqual([{ role: "user", content: "Hello" }]);
  expect(toStandardLoggingPayload(makeRecord({ input: { messages: null } }))["messages"]).toEqual([]);
});

test("a cache hit has an id of its own, the same at every retry", () => {
  const hit = makeRecord({ cacheHit: true });
  expect(toStandardLoggingPayload(hit)["id"]).toBe("chatcmpl-1_cache_hit1763688570.5");
  expect(toStandardLoggingPayload(hit)).toEqual(toStandardLoggingPayload(structuredClone(hit)));
});
