import { expect, test } from "vitest";
import { otel } from "#logging/destinations/otel.ts";
import { parseOtelEndpoint, parseOtelHeaders } from "#logging/destinations/otel-target.ts";

test.each([
  ["http://collector:4318", "http://collector:4318/v1/traces"],
  ["http://collector:4318/", "http://collector:4318/v1/traces"],
  ["https://x.example/v1/traces", "https://x.example/v1/traces"],
  ["https://x.example/v1/traces/", "https://x.example/v1/traces"],
  ["https://x.example/v1/metrics", "https://x.example/v1/traces"],
  ["https://x.example/v1/logs", "https://x.example/v1/traces"],
  ["https://x.example/otlp/v1", "https://x.example/otlp/v1/traces"],
  ["https://x.example/otlp", "https://x.example/otlp/v1/traces"],
  ["https://x.example/otlp?tenant=a", "https://x.example/otlp/v1/traces?tenant=a"],
  ["x.example", "https://x.example/v1/traces"],
  ["ftp://x.example", null],
  ["https://user:pass@x.example", null],
  ["https://x.example/#a", null],
  ["not an address", null],
])("the endpoint %j is %j", (endpoint, url) => {
  expect(parseOtelEndpoint(endpoint)?.href ?? null).toBe(url);
  expect(otel.vars.safeParse({ otel_endpoint: endpoint }).success).toBe(url !== null);
});

test.each<[string, unknown]>([
  ["", {}],
  ["a=b", { a: "b" }],
  ["Authorization=Basic YTpi==,x-tenant = one ", { authorization: "Basic YTpi==", "x-tenant": "one" }],
  ["authorization=Bearer%20abc", { authorization: "Bearer abc" }],
  ["a=100%", { a: "100%" }],
  ['{"api-key": "a,b=c"}', { "api-key": "a,b=c" }],
])("the headers %j are read as %j", (text, headers) => {
  expect(parseOtelHeaders(text)).toEqual(headers);
  expect(otel.vars.safeParse({ otel_headers: text }).success).toBe(true);
});

test.each([
  "Host=evil.example",
  "Metadata-Flavor=Google",
  "Transfer-Encoding=chunked",
  "no value",
  "=x",
  '{"a": 1}',
  '{"a": "b"',
  '{"a": "line\\nbreak-canary"}',
])("the headers %j are refused without showing a value", (text) => {
  const message = parseOtelHeaders(text);
  expect(message).toEqual(expect.any(String));
  expect(message).not.toContain("canary");
  expect(otel.vars.safeParse({ otel_headers: text }).success).toBe(false);
});
