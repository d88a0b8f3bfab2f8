import { describe, expect, test } from "vitest";
import { redact } from "#logging/redact.ts";
import { redactedText } from "#logging/redacted-text.ts";
import type { Json, JsonObject, LogRecord } from "#logging/record.ts";
import { makeRecord } from "#testing/make-record.ts";

const options = { keepMetadata: ["kept_key"] };
const runId = "0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee";
const C = "CANARY";

/** Canaries of content in every shape that a chat API has, and in fields that nobody knows. */
const tools: Json = [
  { type: "function", function: { name: "look_up", description: C, parameters: { [C]: C }, strict: true, [C]: C } },
  { type: "custom", custom: { name: "sql", description: C, format: { definition: C } } },
  { type: C, name: "web", [C]: C },
  C,
  null,
];

const toolCalls: Json = [
  { id: "call_1", type: "function", function: { name: "look_up", arguments: C, [C]: C }, [C]: C },
  { id: "call_2", type: C, custom: { name: "sql", input: C } },
  C,
];

const choice: Json = {
  index: 0,
  finish_reason: "tool_calls",
  logprobs: { content: [{ token: C, bytes: [1], top_logprobs: [{ token: C }] }] },
  message: {
    role: C,
    content: C,
    reasoning_content: C,
    reasoning: C,
    reasoning_details: [{ text: C }],
    thinking_blocks: [{ thinking: C }],
    refusal: C,
    audio: { data: C, transcript: C },
    images: [{ image_url: { url: C } }],
    annotations: [{ url_citation: { title: C } }],
    tool_calls: toolCalls,
    function_call: { name: "old", arguments: C },
    [C]: C,
  },
  delta: { content: C },
  text: C,
  content_filter_results: { [C]: C },
  [C]: C,
};

function canaries(): LogRecord {
  return makeRecord({
    input: {
      messages: [
        { role: "system", content: C },
        {
          role: "user",
          name: C,
          content: [
            { type: "image_url", image_url: { url: C } },
            { type: "file", file: { filename: C } },
          ],
        },
        { role: "tool", tool_call_id: C, content: C },
        { role: "assistant", tool_calls: toolCalls },
      ],
      tools,
      functions: [{ name: "old", description: C, parameters: { [C]: C } }],
    },
    response: {
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 5,
      model: "gpt",
      choices: [choice],
      usage: { prompt_tokens: 1, prompt_tokens_details: { cached_tokens: 1, note: C }, note: C },
      citations: [C],
      [C]: C,
    },
    modelParameters: {
      temperature: 0.5,
      stream: true,
      stop: [C],
      response_format: { json_schema: { name: C } },
      logit_bias: { [C]: 1 },
      tool_choice: { function: { name: C } },
      service_tier: C,
      reasoning_effort: C,
      seed: C,
      max_tokens: { [C]: C },
      [C]: 1,
    },
    caller: { ...makeRecord().caller, userEmail: `${C}@example.com` },
    requestTags: ["tag-1", `User-Agent: ${C}`, `User-Agent: ${C}/1.0`],
    requesterMetadata: {
      trace_id: "trace-1",
      session_id: "session-1",
      trace_name: "name-1",
      tags: ["tag-1", { [C]: C }],
      kept_key: { kept: "value" },
      mask_input: C,
      mask_output: "false",
      update_trace_keys: ["output", C],
      generation_name: { [C]: C },
      version: [C],
      run_name: "run-1",
      project_name: "project-1",
      gcs_log_id: "log-1",
      id: C,
      run_id: runId,
      parent_run_id: `${runId} ${C}`,
      dotted_order: `20250116T192855125002Z${runId}`,
      trace_metadata: { [C]: C },
      spend_logs_metadata: C,
      [C]: C,
    },
    requesterIpAddress: C,
    userAgent: C,
    error: { code: "400", class: "BadRequestError", message: C },
  });
}

describe.each(["content", "metadata_only"] as const)("%s", (level) => {
  test("lets no canary of any field through", () => {
    expect(JSON.stringify(redact(canaries(), level, options))).not.toContain(C);
  });

  test("lets no field through that is not in the list of a record", () => {
    const wider = { ...canaries(), unheardOf: C, [C]: C };
    expect(JSON.stringify(redact(wider, level, options))).not.toContain(C);
    const input = { ...canaries().input, images: C };
    expect(JSON.stringify(redact({ ...canaries(), input }, level, options))).not.toContain(C);
  });

  test("changes nothing a second time", () => {
    const once = redact({ ...canaries(), callIdIsClients: true }, level, options);
    expect(redact(once, level, options)).toEqual(once);
    expect(redact(once, "off", options)).toEqual(once);
  });

  test("leaves the given record as it was", () => {
    const given = canaries();
    const before = JSON.stringify(given);
    redact(given, level, options);
    expect(JSON.stringify(given)).toBe(before);
  });

  test.each<[string, JsonObject | null, JsonObject | null]>([
    ["no answer", null, null],
    [
      "embeddings",
      { object: "list", data: [{ embedding: [C] }], usage: { total_tokens: 2 } },
      { object: "list", usage: { total_tokens: 2 }, data: [] },
    ],
    [
      "text completions",
      { choices: [{ index: 0, text: C }] },
      { choices: [{ index: 0, finish_reason: null, text: redactedText }] },
    ],
    ["anything else", { id: "r1", output: [{ text: C }], instructions: C }, { id: "r1", text: redactedText }],
    [
      "odd shapes",
      { id: { [C]: C }, usage: C, choices: [C, null, { message: C }] },
      { id: null, usage: null, choices: [{ finish_reason: null }, { finish_reason: null }, { finish_reason: null }] },
    ],
  ])("%s", (_title, response, expected) => {
    const once = redact(makeRecord({ response }), level, options);
    expect(once.response).toEqual(expected);
    expect(redact(once, level, options)).toEqual(once);
  });

  test("messages that are no list, and no tools at all, are fine", () => {
    const input = { messages: C, tools: C, functions: null };
    expect(redact(makeRecord({ input }), level, options).input).toEqual({
      messages: [{ role: "user", content: redactedText }],
      ...(level === "content" ? { tools: [], functions: [] } : {}),
    });
  });
});

test("off is the record itself", () => {
  const record = canaries();
  expect(redact(record, "off", options)).toBe(record);
});

test("what survives content is the published list", () => {
  const given = { ...canaries(), callIdIsClients: true };
  const { input, response, modelParameters, requesterMetadata, requestTags, caller, error, ...rest } = redact(
    given,
    "content",
    options,
  );
  expect(rest).toEqual({
    recordId: given.recordId,
    callId: given.callId,
    callIdIsClients: true,
    responseId: given.responseId,
    callType: given.callType,
    route: given.route,
    status: given.status,
    clientDisconnected: false,
    stream: false,
    startTimeMs: given.startTimeMs,
    completionStartTimeMs: given.completionStartTimeMs,
    endTimeMs: given.endTimeMs,
    provider: "openai",
    model: given.model,
    modelGroup: given.modelGroup,
    modelId: given.modelId,
    apiBase: given.apiBase,
    usage: given.usage,
    responseCostUsd: given.responseCostUsd,
    cacheHit: null,
    endUser: given.endUser,
    requesterIpAddress: null,
    userAgent: null,
  });
  expect(input).toEqual({
    messages: [{ role: "user", content: redactedText }],
    tools: [
      { type: "function", function: { name: "look_up" } },
      { type: "custom", custom: { name: "sql" } },
      { name: "web" },
      {},
      {},
    ],
    functions: [{ name: "old" }],
  });
  expect(response).toEqual({
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 5,
    model: "gpt",
    usage: { prompt_tokens: 1, prompt_tokens_details: { cached_tokens: 1 } },
    choices: [
      {
        index: 0,
        finish_reason: "tool_calls",
        text: redactedText,
        message: {
          role: "assistant",
          content: redactedText,
          reasoning_content: redactedText,
          refusal: redactedText,
          thinking_blocks: null,
          audio: null,
          tool_calls: [
            { id: "call_1", type: "function", function: { name: "look_up", arguments: redactedText } },
            { id: "call_2", type: "function", function: { name: "sql", arguments: redactedText } },
            { type: "function" },
          ],
          function_call: { name: "old", arguments: redactedText },
        },
      },
    ],
  });
  expect(modelParameters).toEqual({ temperature: 0.5, stream: true });
  expect(requestTags).toEqual(["tag-1"]);
  expect(caller).toEqual({ ...given.caller, userEmail: null });
  expect(error).toEqual({ code: "400", class: "BadRequestError", message: redactedText });
  expect(requesterMetadata).toEqual({
    trace_id: "trace-1",
    session_id: "session-1",
    trace_name: "name-1",
    run_name: "run-1",
    project_name: "project-1",
    gcs_log_id: "log-1",
    run_id: runId,
    dotted_order: `20250116T192855125002Z${runId}`,
    tags: ["tag-1"],
    kept_key: { kept: "value" },
    mask_input: true,
    mask_output: false,
    update_trace_keys: ["output"],
  });
});

test("a run id among the client's metadata survives content only in the form of one", () => {
  const left = (requesterMetadata: JsonObject) =>
    redact(makeRecord({ requesterMetadata }), "content", { keepMetadata: [] }).requesterMetadata;
  expect(left({ id: runId, dotted_order: "a customer's words" })).toEqual({ id: runId });
  expect(left({ id: "customer 7", run_id: 7, parent_run_id: [runId], dotted_order: runId })).toEqual({});
});

test("metadata_only also drops tags, names and what users chose as ids", () => {
  const given = { ...canaries(), callIdIsClients: true };
  const left = redact(given, "metadata_only", options);
  expect(left).toMatchObject({ callId: given.recordId, apiBase: null, endUser: null, requestTags: [] });
  expect(JSON.stringify(left)).not.toMatch(/look_up|sql|old/);
  expect(left.requesterMetadata).toEqual({ mask_input: true, mask_output: false, update_trace_keys: ["output"] });
  expect(redact(canaries(), "metadata_only", options).callId).toBe(given.callId);
});
