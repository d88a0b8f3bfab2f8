import { expect, test } from "vitest";
import { lastEventWire, responsesWire } from "#gateway/event-stream.ts";
import { messagesWire } from "#gateway/messages-stream.ts";
import { makeStreamCopy } from "#gateway/stream-copy.ts";
import type { StreamWire } from "#gateway/stream-wire.ts";
import type { JsonObject } from "#logging/record.ts";

function frame(event: JsonObject): string {
  return `event: ${String(event.type)}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Reads events along and says what left, what was held, and what the log gets. */
function read(wire: StreamWire, events: readonly JsonObject[]) {
  const copy = makeStreamCopy(wire, false);
  const passed = Buffer.concat(copy.pass(Buffer.from(events.map(frame).join("")))).toString();
  return { passed, held: copy.lastBytes().toString(), isDone: copy.isDone(), ...copy.answer() };
}

const created = { type: "response.created", response: { id: "resp_1", status: "in_progress", output: [] } };
const message = { type: "message", role: "assistant", content: [] };

test("the last event of a response is held, and its answer is the log's", () => {
  const done = { type: "response.completed", response: { id: "resp_1", output: [], usage: { input_tokens: 1 } } };
  expect(read(responsesWire, [created, done])).toEqual({
    passed: frame(created),
    held: frame(done),
    isDone: true,
    response: done.response,
    usage: { input_tokens: 1 },
    errorText: null,
  });
});

test("a response that was cut has the items and texts that came", () => {
  const events = [
    created,
    { type: "response.output_item.added", output_index: 0, item: message },
    { type: "response.output_text.delta", output_index: 0, delta: "Hel" },
    { type: "response.output_text.delta", output_index: 0, delta: "lo" },
    { type: "response.output_item.added", output_index: 1, item: { type: "function_call", name: "f" } },
    { type: "response.function_call_arguments.delta", output_index: 1, delta: '{"a"' },
  ];
  expect(read(responsesWire, events)).toMatchObject({
    isDone: false,
    held: "",
    response: {
      id: "resp_1",
      output: [
        { type: "message", content: [{ type: "output_text", text: "Hello" }] },
        { name: "f", partial: '{"a"' },
      ],
    },
  });
});

test.each<[string, StreamWire, JsonObject]>([
  ["error frame of the chat API", responsesWire, { error: { message: "no" } }],
  ["failed response", responsesWire, { type: "response.failed", response: { error: { message: "no" } } }],
  ["error event of a response", responsesWire, { type: "error", message: "no", code: "500" }],
  ["error event of a message", messagesWire, { type: "error", error: { type: "api_error", message: "no" } }],
  ["error of a picture", lastEventWire, { type: "error", error: { message: "no" } }],
])("a %s is noted as the stream's error", (_name, wire, event) => {
  expect(read(wire, [event]).errorText).toContain('"message":"no"');
});

test("a message is put together of its blocks, with the newest counts", () => {
  const start = {
    id: "msg_1",
    type: "message",
    role: "assistant",
    content: [],
    usage: { input_tokens: 3, output_tokens: 1 },
  };
  const delta = (index: number, value: JsonObject) => ({ type: "content_block_delta", index, delta: value });
  const events: JsonObject[] = [
    { type: "message_start", message: start },
    { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "", signature: "" } },
    delta(0, { type: "thinking_delta", thinking: "Hm" }),
    delta(0, { type: "signature_delta", signature: "s" }),
    { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
    delta(1, { type: "text_delta", text: "Hel" }),
    delta(1, { type: "text_delta", text: "lo" }),
    { type: "content_block_start", index: 2, content_block: { type: "tool_use", id: "t1", name: "f", input: {} } },
    delta(2, { type: "input_json_delta", partial_json: '{"a"' }),
    delta(2, { type: "input_json_delta", partial_json: ":1}" }),
    { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 9 } },
    { type: "message_stop" },
  ];
  const { response, held, isDone } = read(messagesWire, events);
  expect({ held, isDone }).toEqual({ held: frame({ type: "message_stop" }), isDone: true });
  expect(response).toEqual({
    id: "msg_1",
    type: "message",
    role: "assistant",
    stop_reason: "tool_use",
    content: [
      { type: "thinking", thinking: "Hm", signature: "s" },
      { type: "text", text: "Hello" },
      { type: "tool_use", id: "t1", name: "f", input: { a: 1 } },
    ],
    usage: { input_tokens: 3, output_tokens: 9 },
  });
});

test("a transcript that was cut is the text that came", () => {
  const deltas = ["He", "llo"].map((delta) => ({ type: "transcript.text.delta", delta }));
  expect(read(lastEventWire, deltas).response).toEqual({ text: "Hello" });
  const done = { type: "transcript.text.done", text: "Hello!", usage: { input_tokens: 2 } };
  expect(read(lastEventWire, [...deltas, done])).toMatchObject({ response: done, isDone: true, held: frame(done) });
});
