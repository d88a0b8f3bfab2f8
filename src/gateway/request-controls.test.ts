import { describe, expect, test } from "vitest";
import { readControls } from "#gateway/request-controls.ts";
import { strangerCaller } from "#keys/caller.ts";
import type { JsonObject } from "#logging/record.ts";

function controls(body: JsonObject, headers: Record<string, string> = {}, caller = strangerCaller) {
  return readControls(body, new Headers(headers), caller);
}

test("a request that says nothing changes nothing", () => {
  expect(controls({})).toEqual({
    noLog: false,
    disabledCallbacks: [],
    redact: false,
    liftRedaction: false,
    credentials: null,
  });
});

test.each([
  [true, true],
  [false, false],
  ["true", false],
  [1, false],
  [null, false],
])("no-log %j counts as %j", (value, expected) => {
  expect(controls({ "no-log": value }).noLog).toBe(expected);
});

const words: [string, boolean][] = [
  ["true", true],
  ["TRUE", true],
  ["1", true],
  ["yes", true],
  ["false", false],
  ["False", false],
  ["0", false],
  ["", false],
  [" ", false],
];

describe.each(["x-litellm-enable-message-redaction", "litellm-enable-message-redaction"])("%s", (header) => {
  test.each(words)("%j asks for redaction: %j", (value, expected) => {
    expect(controls({}, { [header]: value }).redact).toBe(expected);
  });
});

describe("lifting redaction", () => {
  const allowed = { ...strangerCaller, mayOptOutOfRedaction: true };

  test.each(words)("header %j of a caller who may: %j", (value, expected) => {
    expect(controls({}, { "litellm-disable-message-redaction": value }, allowed).liftRedaction).toBe(expected);
  });

  test("is not heard from anybody else", () => {
    const headers = { "litellm-disable-message-redaction": "true" };
    expect(controls({ turn_off_message_logging: false }, headers).liftRedaction).toBe(false);
  });

  test("may stand in the body", () => {
    expect(controls({ turn_off_message_logging: false }, {}, allowed).liftRedaction).toBe(true);
  });
});

test.each([
  [true, true],
  ["true", true],
  ["True", true],
  [false, false],
  ["no", false],
  ["yes", true],
  [1, true],
  [7, false],
])("turn_off_message_logging %j asks for redaction: %j", (value, expected) => {
  expect(controls({ turn_off_message_logging: value }).redact).toBe(expected);
});

test("callbacks are switched off by the header and by the key, in lower case", () => {
  const caller = { ...strangerCaller, disabledCallbacks: ["datadog"] };
  expect(controls({}, { "x-litellm-disable-callbacks": "LangFuse, otel" }, caller).disabledCallbacks).toEqual([
    "langfuse",
    "otel",
    "datadog",
  ]);
  expect(controls({}, { "x-litellm-disable-callbacks": "" }, caller).disabledCallbacks).toEqual(["datadog"]);
  expect(controls({}, {}, caller).disabledCallbacks).toEqual(["datadog"]);
});
