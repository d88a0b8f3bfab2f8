import { describe, expect, test } from "vitest";
import { ContentClass } from "#logging/content-class.ts";
import { redact } from "#logging/redact.ts";
import type { LogRecord } from "#logging/record.ts";
import { makeRecord } from "#testing/make-record.ts";

/** A record with one canary per class, named after it. */
function canaries(): LogRecord {
  return makeRecord({
    apiBase: "https://api.example.com/v1?key=url_parameters-canary",
    input: {
      messages: [
        { role: "system", content: "system_prompt-canary" },
        {
          role: "user",
          content: [
            { type: "text", text: "messages-canary" },
            { type: "image_url", image_url: { url: "https://x.example/images-canary?url_parameters-canary" } },
            { type: "input_audio", input_audio: { data: "audio-canary" } },
            { type: "file", file: { filename: "file_names-canary", file_data: "file_names-canary" } },
          ],
        },
        {
          role: "assistant",
          content: null,
          tool_calls: [
            { id: "c1", type: "function", function: { name: "look_up", arguments: "tool_arguments-canary" } },
          ],
        },
        { role: "tool", tool_call_id: "c1", content: "tool_results-canary" },
      ],
      tools: [{ type: "function", function: { name: "look_up", description: "tool_schemas-canary" } }],
    },
    modelParameters: {
      temperature: 0.2,
      response_format: { json_schema: { description: "tool_schemas-canary" } },
    },
    response: {
      id: "chatcmpl-1",
      object: "chat.completion",
      usage: { total_tokens: 30 },
      choices: [
        {
          index: 0,
          finish_reason: "stop",
          logprobs: { content: [{ token: "logprobs-canary" }] },
          message: {
            role: "assistant",
            content: "messages-canary",
            reasoning_content: "reasoning-canary",
            refusal: "refusals-canary",
            audio: { transcript: "audio-canary" },
            images: [{ image_url: { url: "images-canary" } }],
            tool_calls: [
              { id: "c2", type: "function", function: { name: "look_up", arguments: "tool_arguments-canary" } },
            ],
          },
        },
      ],
    },
    requestTags: ["tags-canary", "User-Agent: headers-canary"],
    requesterMetadata: { own: "user_metadata-canary", trace_id: "trace-1", tags: ["tags-canary"] },
    userAgent: "headers-canary",
    error: { code: "400", class: "BadRequestError", message: "error_text-canary" },
  });
}

function found(record: LogRecord): string[] {
  const text = JSON.stringify(record);
  return ContentClass.options.filter((name) => text.includes(`${name}-canary`));
}

const inChats: ContentClass[] = ContentClass.options.filter((name) => name !== "embedding_input");
const quotable = inChats.slice(0, inChats.indexOf("logprobs"));

const inMessages = quotable.filter((name) => name !== "tool_schemas");

test("the canaries are all there where nothing is taken out", () => {
  expect(found(redact(canaries(), "off", { keepMetadata: [] }))).toEqual(inChats);
});

/** What goes along: the image in a message's content with that message, quotes in error texts, spelled-out texts. */
function alsoGone(name: ContentClass): ContentClass[] {
  const gone: ContentClass[] = [name];
  if (quotable.includes(name)) gone.push("error_text");
  if (name === "messages") gone.push("logprobs", "file_names", "url_parameters");
  if (name === "reasoning" || name === "refusals") gone.push("logprobs");
  return gone;
}

describe("a class takes out itself, whole, and leaves the others", () => {
  test.each(inChats)("%s", (name) => {
    const before = canaries();
    // The address of the deployment and the tools' schemas in parameters are judged with their own class.
    if (name === "messages") Object.assign(before, { apiBase: null });
    const left = found(redact(before, "off", { keepMetadata: [], classes: [name] }));
    expect(left).toEqual(inChats.filter((other) => !alsoGone(name).includes(other)));
  });
});

test("names, ids, roles, usage and times stay whatever classes go", () => {
  const record = redact(canaries(), "off", { keepMetadata: [], classes: ContentClass.options });
  expect(found(record)).toEqual([]);
  expect(record.response).toMatchObject({
    id: "chatcmpl-1",
    usage: { total_tokens: 30 },
    choices: [{ finish_reason: "stop", message: { tool_calls: [{ id: "c2", function: { name: "look_up" } }] } }],
  });
  expect(record).toMatchObject({
    input: { messages: [{ role: "system" }, { role: "user" }, { role: "assistant" }, { role: "tool" }] },
    modelParameters: { temperature: 0.2 },
    requesterMetadata: { trace_id: "trace-1" },
    error: { code: "400", class: "BadRequestError" },
    usage: canaries().usage,
  });
});

test("a level and classes add up: tags that survive content go with their class", () => {
  const content = redact(canaries(), "content", { keepMetadata: [] });
  expect(found(content)).toContain("tags");
  const both = redact(canaries(), "content", { keepMetadata: [], classes: ["tags"] });
  expect(found(both)).toEqual(found(content).filter((name) => name !== "tags"));
  expect(both.input).toEqual(content.input);
});

test("shapes that nobody thought of go with any class that they could hold", () => {
  const odd = makeRecord({
    input: { messages: ["CANARY", { type: "odd", arguments: "CANARY" }, { role: "user", content: { odd: "CANARY" } }] },
    response: { id: "r", output: [{ text: "CANARY" }] },
  });
  for (const name of inMessages) {
    expect(JSON.stringify(redact(odd, "off", { keepMetadata: [], classes: [name] })), name).not.toContain("CANARY");
  }
  const choices = makeRecord({
    response: {
      choices: [{ odd: "CANARY", delta: { odd: "CANARY" }, message: { odd: "CANARY" } }, "CANARY"],
      odd: "CANARY",
    },
  });
  for (const name of inMessages) {
    expect(JSON.stringify(redact(choices, "off", { keepMetadata: [], classes: [name] })), name).not.toContain("CANARY");
  }
});

test("what was embedded goes with its class and with messages", () => {
  const record = makeRecord({
    callType: "aembedding",
    input: { messages: [{ role: "user", content: "CANARY" }] },
    response: { object: "list", data: [{ embedding: [0.123456] }], usage: { total_tokens: 3 } },
  });
  for (const name of ["embedding_input", "messages"] as const) {
    const text = JSON.stringify(redact(record, "off", { keepMetadata: [], classes: [name] }));
    expect(text).not.toContain("CANARY");
    expect(text).not.toContain("0.123456");
    expect(text).toContain('"total_tokens":3');
  }
});

test("redacting twice changes nothing more, and the given record is left as it is", () => {
  for (const classes of [["messages"], ["tool_schemas", "images"], ContentClass.options] satisfies ContentClass[][]) {
    const given = canaries();
    const once = redact(given, "off", { keepMetadata: [], classes });
    expect(redact(once, "off", { keepMetadata: [], classes })).toEqual(once);
    expect(given).toEqual(canaries());
  }
});
