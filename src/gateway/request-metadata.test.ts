import { describe, expect, test } from "vitest";
import { readMetadata, readTags, splitList } from "#gateway/request-metadata.ts";
import { strangerCaller } from "#keys/caller.ts";
import type { JsonObject } from "#logging/record.ts";

function metadata(body: JsonObject, headers: Record<string, string> = {}): JsonObject {
  return readMetadata(body, new Headers(headers));
}

describe("metadata", () => {
  test("langfuse headers in every spelling go over the body", () => {
    const body = { metadata: { trace_name: "body", session_id: "body", trace_user_id: "body", kept: 1 } };
    const headers = { langfuse_trace_name: "h1", "langfuse-session-id": "h2", "X-Langfuse-Trace-User-Id": "h3" };
    expect(metadata(body, headers)).toEqual({ trace_name: "h1", session_id: "h2", trace_user_id: "h3", kept: 1 });
  });

  test("JSON in a header is parsed, other text stays text", () => {
    const headers = {
      langfuse_trace_metadata: '{"key":"value"}',
      langfuse_update_trace_keys: '["input"]',
      langfuse_mask_input: "true",
      langfuse_version: "12",
      langfuse_release: "{broken",
    };
    expect(metadata({}, headers)).toEqual({
      trace_metadata: { key: "value" },
      update_trace_keys: ["input"],
      mask_input: "true",
      version: "12",
      release: "{broken",
    });
  });

  test("is read from JSON text, and text that is none is ignored", () => {
    expect(metadata({ metadata: '{"a":1}' })).toEqual({ a: 1 });
    for (const text of ["{a", "a", "[1]", ""]) expect(metadata({ metadata: text })).toEqual({});
  });

  test("litellm_metadata goes over metadata", () => {
    expect(metadata({ metadata: { a: 1, b: 1 }, litellm_metadata: { b: 2 } })).toEqual({ a: 1, b: 2 });
  });

  test("holds no credentials and nothing that only the gateway may say", () => {
    const names = `langfuse_public_key langfuse_secret langfuse_secret_key secret_key api_key apiKey API-KEY dd_api_key
      password authorization Authorization cookie gcs_path_service_account gcs_service_account_json langfuse_host
      langsmith_base_url user_api_key user_api_key_team_id USER_API_KEY_HASH litellm_call_id headers endpoint
      proxy_server_request`.split(/\s+/);
    const body = Object.fromEntries(names.map((name) => [name, "canary"]));
    expect(metadata({ metadata: body })).toEqual({});
    expect(metadata({ metadata: JSON.stringify(body) })).toEqual({});
    const headers = [
      "public_key",
      "secret_key",
      "secret",
      "host",
      "user_api_key_hash",
      "sdk_name",
      "ingestion_version",
    ];
    for (const form of ["langfuse_", "langfuse-", "x-langfuse-"]) {
      const given = headers.map((name): [string, string] => [
        form + (form.endsWith("-") ? name.replaceAll("_", "-") : name),
        "canary",
      ]);
      expect(metadata({}, Object.fromEntries(given))).toEqual({});
    }
  });

  test("keeps a client's own words that only sound alike", () => {
    const own = { host: "prod-1", db_host: "x", tokens: 3, secretary: "y", endpoint_name: "z" };
    expect(metadata({ metadata: own })).toEqual(own);
  });

  test("a prototype in the body is dropped", () => {
    const body = {
      metadata: Object.fromEntries<JsonObject | number>([
        ["__proto__", { session_id: "x" }],
        ["a", 1],
      ]),
    };
    const read = metadata(body);
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(read).toEqual({ a: 1 });
  });

  test.each<[JsonObject, Record<string, string>, JsonObject]>([
    [{}, {}, {}],
    [{ litellm_session_id: "s" }, {}, { session_id: "s", trace_id: "s" }],
    [{ litellm_trace_id: "t" }, {}, { session_id: "t", trace_id: "t" }],
    [
      { litellm_session_id: "s", litellm_trace_id: "t" },
      { "x-litellm-trace-id": "h" },
      { session_id: "s", trace_id: "t" },
    ],
    [{}, { "x-litellm-trace-id": "t", "x-litellm-session-id": "s" }, { session_id: "t", trace_id: "t" }],
    [{}, { "x-litellm-trace-id": "", "x-litellm-session-id": "s" }, { session_id: "s", trace_id: "s" }],
    [{ metadata: { session_id: "m" } }, { "x-litellm-session-id": "s" }, { session_id: "m", trace_id: "s" }],
    [
      { metadata: { session_id: "m" } },
      { langfuse_session_id: "l", "x-litellm-session-id": "s" },
      { session_id: "l", trace_id: "s" },
    ],
  ])("session and trace of body %j and headers %j are %j", (body, headers, expected) => {
    expect(metadata(body, headers)).toEqual(expected);
  });

  test("spend logs metadata of the header goes over that of the body", () => {
    const body = { metadata: { spend_logs_metadata: { a: 1, b: 1 } } };
    const header = { "x-litellm-spend-logs-metadata": '{"b":2}' };
    expect(metadata(body, header)).toEqual({ spend_logs_metadata: { a: 1, b: 2 } });
    expect(metadata(body, { "x-litellm-spend-logs-metadata": "broken" })).toEqual({
      spend_logs_metadata: { a: 1, b: 1 },
    });
  });
});

describe("tags", () => {
  const caller = { ...strangerCaller, tags: ["key-tag", "a"] };

  test("are merged from everywhere without repetition", () => {
    const body = { metadata: { tags: ["a", "b"] }, litellm_metadata: { tags: ["lm"] }, tags: ["b", "c"] };
    const headers = new Headers({ "x-litellm-tags": "c, d,,", langfuse_tags: '["e","a"]' });
    expect(readTags(body, headers, caller)).toEqual(["a", "b", "lm", "c", "e", "d", "key-tag"]);
  });

  test("may be a text with commas in a header of Langfuse", () => {
    expect(readTags({}, new Headers({ langfuse_tags: "x, y" }), strangerCaller)).toEqual(["x", "y"]);
  });

  test("end with the two of the user agent", () => {
    const headers = new Headers({ "user-agent": "curl/8.5.0" });
    expect(readTags({ tags: ["a"] }, headers, strangerCaller)).toEqual([
      "a",
      "User-Agent: curl",
      "User-Agent: curl/8.5.0",
    ]);
  });

  test("that are no text are left out", () => {
    expect(readTags({ tags: [1, null, "a", { b: 1 }], metadata: { tags: 5 } }, new Headers(), strangerCaller)).toEqual([
      "a",
    ]);
  });
});

test("a comma list is trimmed and has no empty parts", () => {
  expect(splitList(" a ,,b,")).toEqual(["a", "b"]);
  expect(splitList(null)).toEqual([]);
});
