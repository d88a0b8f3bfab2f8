import { expect, test } from "vitest";
import { makeChatAssembler } from "#gateway/chat-stream.ts";
import type { Json, JsonObject } from "#logging/record.ts";

function assemble(chunks: readonly JsonObject[]): JsonObject | null {
  const assembler = makeChatAssembler();
  for (const chunk of chunks) assembler.add(chunk);
  return assembler.response();
}

function delta(fields: JsonObject, rest: JsonObject = {}): JsonObject {
  return { choices: [{ index: 0, delta: fields, ...rest }] };
}

const end: JsonObject = { finish_reason: "stop" };

function message(chunks: readonly JsonObject[]): Json | undefined {
  const choices = assemble(chunks)?.choices;
  const [first] = Array.isArray(choices) ? choices : [];
  return typeof first === "object" && first !== null && !Array.isArray(first) ? first.message : undefined;
}

test.each<[string, boolean, JsonObject[]]>([
  ["before the text", false, [{ usage: { total_tokens: 2 } }, delta({ content: "more" }), delta({}, end)]],
  ["before a tool call", false, [{ usage: {} }, delta({ tool_calls: [{ index: 0 }] }), delta({}, end)]],
  ["with the text, before the end", true, [{ ...delta({ content: "all" }), usage: {} }, delta({ content: "" }, end)]],
  ["with the end", true, [delta({ content: "all" }), { ...delta({}, end), usage: {} }]],
  ["after the end", true, [delta({ content: "all" }), delta({}, end), { choices: [], usage: {} }]],
  ["without an end", false, [delta({ content: "all" }), { choices: [], usage: {} }]],
])("usage that comes %s is final: %s", (_when, isFinal, chunks) => {
  const assembler = makeChatAssembler();
  for (const chunk of chunks) assembler.add(chunk);
  expect(assembler.isUsageFinal()).toBe(isFinal);
});

test("no chunk is no answer", () => {
  expect(assemble([])).toBeNull();
});

test("the answer has the shape of a plain one, with usage and the last finish reason", () => {
  const base = { id: "c1", object: "chat.completion.chunk", created: 5, model: "m", system_fingerprint: null };
  expect(
    assemble([
      { ...base, ...delta({ role: "assistant", content: "" }, { finish_reason: null }), usage: null },
      { ...base, ...delta({ content: "Hel" }, { finish_reason: null }), system_fingerprint: "fp" },
      { ...base, ...delta({ content: "lo" }, { finish_reason: null }) },
      { ...base, ...delta({}, { finish_reason: "stop" }) },
      { ...base, choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
    ]),
  ).toEqual({
    id: "c1",
    object: "chat.completion",
    created: 5,
    model: "m",
    system_fingerprint: "fp",
    choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  });
});

test("choices are kept apart and sorted by index, whatever the order of their chunks", () => {
  const response = assemble([
    {
      choices: [
        { index: 1, delta: { content: "b" } },
        { index: 0, delta: { content: "a" } },
      ],
    },
    { choices: [{ index: 1, delta: { content: "B" }, finish_reason: "length" }] },
    { choices: [{ index: 0, delta: { content: "A" }, finish_reason: "stop" }] },
  ]);
  expect(response?.choices).toEqual([
    { index: 0, message: { role: "assistant", content: "aA" }, finish_reason: "stop" },
    { index: 1, message: { role: "assistant", content: "bB" }, finish_reason: "length" },
  ]);
});

test("tool calls are merged by index, and content stays null", () => {
  const call = (index: number, fields: JsonObject): JsonObject => delta({ tool_calls: [{ index, ...fields }] });
  expect(
    message([
      call(1, { id: "t2", type: "function", function: { name: "second", arguments: "" } }),
      call(0, { id: "t1", type: "function", function: { name: "first", arguments: '{"a"' } }),
      call(0, { function: { arguments: ":1}" } }),
      call(1, { id: "", function: { arguments: "{}" } }),
    ]),
  ).toEqual({
    role: "assistant",
    content: null,
    tool_calls: [
      { id: "t1", type: "function", function: { name: "first", arguments: '{"a":1}' } },
      { id: "t2", type: "function", function: { name: "second", arguments: "{}" } },
    ],
  });
});

test("a name that is repeated whole in every chunk is not doubled", () => {
  const call = { index: 0, id: "t1", type: "function", function: { name: "look_up", arguments: "x" } };
  expect(message([delta({ tool_calls: [call] }), delta({ tool_calls: [call] })])).toMatchObject({
    tool_calls: [{ function: { name: "look_up", arguments: "xx" } }],
  });
});

test("tool calls without an index go by their id, and a part without both belongs to the last", () => {
  const call = (fields: JsonObject): JsonObject => delta({ tool_calls: [fields] });
  expect(
    message([
      call({ id: "t1", function: { name: "a", arguments: "1" } }),
      call({ id: "t2", function: { name: "b", arguments: "2" } }),
      call({ function: { arguments: "2" } }),
      call({ id: "t1", function: { arguments: "1" } }),
    ]),
  ).toMatchObject({
    tool_calls: [
      { id: "t1", function: { arguments: "11" } },
      { id: "t2", function: { arguments: "22" } },
    ],
  });
});

test("custom tool calls keep their shape", () => {
  const call = (custom: JsonObject, fields: JsonObject = {}): JsonObject =>
    delta({ tool_calls: [{ index: 0, ...fields, custom }] });
  expect(
    message([call({ name: "sql", input: "SEL" }, { id: "t1", type: "custom" }), call({ input: "ECT" })]),
  ).toMatchObject({
    tool_calls: [{ id: "t1", type: "custom", custom: { name: "sql", input: "SELECT" } }],
  });
});

test("reasoning, refusal and the old function call are assembled beside the content", () => {
  expect(
    message([
      delta({ reasoning_content: "th", refusal: "n", function_call: { name: "f", arguments: "{" } }),
      delta({ reasoning_content: "ink", refusal: "o", function_call: { arguments: "}" } }),
    ]),
  ).toEqual({
    role: "assistant",
    content: null,
    reasoning_content: "think",
    refusal: "no",
    function_call: { name: "f", arguments: "{}" },
  });
});

test("log probabilities are joined", () => {
  const response = assemble([
    delta({ content: "a" }, { logprobs: { content: [{ token: "a" }] } }),
    delta({ content: "b" }, { logprobs: { content: [{ token: "b" }] } }),
  ]);
  expect(response?.choices).toMatchObject([{ logprobs: { content: [{ token: "a" }, { token: "b" }] } }]);
});

test("nothing that an upstream sends in a chunk makes it throw", () => {
  const odd: Json[] = [
    null,
    "x",
    1,
    [],
    {},
    { index: "0", delta: "x" },
    { delta: { tool_calls: [null, 1, { function: 3 }] } },
  ];
  expect(() => assemble([{ choices: odd }, { choices: "x" }, { usage: "x" }, {}])).not.toThrow();
});
