import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { attribute, exportOf, goodSpan, send, start, traces } from "./langfuse-harness.ts";

test("a good export is stored and shows Langfuse's fields", async () => {
  const fake = await start();
  expect((await send(fake, traces, { body: exportOf(goodSpan) })).status).toBe(200);
  const [span] = fake.project("red").spans;
  expect(span).toMatchObject({
    type: "generation",
    name: "litellm-acompletion",
    traceName: "my trace",
    sessionId: "session-1",
    userId: "user-id2",
    tags: ["tag1", "b"],
    environment: "production",
    model: "gpt-4o",
    modelParameters: { stream: true, temperature: 0.2 },
    input: { messages: [{ role: "user", content: "Hello!" }] },
    output: { role: "assistant", content: "Hi" },
    usage: { input: 7, output: 4, total: 11 },
    cost: { total: 0.0000245 },
    startTime: "2025-01-19T00:42:36.203Z",
    endTime: "2025-01-19T00:42:36.462Z",
    completionStartTime: "2025-01-19T00:42:36.455Z",
    metadata: { litellm_call_id: "call-1", retries: 2 },
    level: "DEFAULT",
    isRoot: true,
    receivedCount: 1,
    resourceAttributes: { "service.name": "gateway" },
  });
  expect(span?.warnings).toEqual(["usage_details.half was dropped: 0.5"]);
  expect(fake.project("blue").spans).toEqual([]);
  expect(fake.requests[0]).toMatchObject({ status: 200, projectId: "red", publicKeyMismatch: false });
});

test("a failed span shows as an error, and OpenTelemetry's own names are understood", async () => {
  const fake = await start();
  const span = {
    ...goodSpan,
    status: { code: 2, message: "RateLimitError" },
    attributes: [
      attribute("gen_ai.operation.name", "chat"),
      attribute("gen_ai.request.model", "gpt-4o"),
      { key: "gen_ai.request.temperature", value: { doubleValue: 0.5 } },
      { key: "gen_ai.usage.input_tokens", value: { intValue: "11" } },
      { key: "gen_ai.usage.output_tokens", value: { intValue: "4" } },
      { key: "gen_ai.usage.cache_read.input_tokens", value: { intValue: "4" } },
    ],
  };
  await send(fake, traces, { body: exportOf(span) });
  expect(fake.project("red").spans[0]).toMatchObject({
    type: "generation",
    level: "ERROR",
    statusMessage: "RateLimitError",
    modelParameters: { temperature: 0.5 },
    usage: { input: 7, output: 4, total: 15, input_cached_tokens: 4 },
  });
});

test("a gzip body is understood; one that only says so is a 400", async () => {
  const fake = await start();
  const headers = { "content-encoding": "gzip" };
  const raw = new Blob([gzipSync(JSON.stringify(exportOf(goodSpan)))]);
  expect((await send(fake, traces, { raw, headers })).status).toBe(200);
  expect(fake.project("red").spans).toHaveLength(1);
  const answer = await send(fake, traces, { body: exportOf(goodSpan), headers });
  expect(answer).toMatchObject({ status: 400, body: { error: "Failed to decompress request body" } });
});

test("the same ids and start time replace, another start time duplicates", async () => {
  const fake = await start();
  await send(fake, traces, { body: exportOf(goodSpan) });
  await send(fake, traces, { body: exportOf({ ...goodSpan, name: "again" }) });
  expect(fake.project("red").spans).toMatchObject([{ name: "again", receivedCount: 2 }]);
  await send(fake, traces, { body: exportOf({ ...goodSpan, startTimeUnixNano: "1737247356204439000" }) });
  expect(fake.project("red").spans).toHaveLength(2);
});

const { traceId: _traceId, ...withoutTraceId } = goodSpan;
const { name: _name, ...withoutName } = goodSpan;
const { startTimeUnixNano: _start, ...withoutStart } = goodSpan;

test.each([
  ["a trace id is missing", withoutTraceId],
  ["a span id is empty", { ...goodSpan, spanId: "" }],
  ["an id is a number", { ...goodSpan, spanId: 5 }],
  ["attributes are no list", { ...goodSpan, attributes: { a: 1 } }],
])("refuses the whole export where %s, loose too", async (_, bad) => {
  for (const strict of [true, false]) {
    const fake = await start({ strict });
    const answer = await send(fake, traces, { body: exportOf(goodSpan, bad) });
    expect(answer.status).toBe(400);
    expect(answer.body.error).toContain("Invalid OTLP trace export: ");
    expect(fake.project("red").spans).toEqual([]);
    expect(fake.requests[0]?.problem).toContain("Invalid OTLP trace export: ");
  }
});

const withValue = (value: unknown) => ({ ...goodSpan, attributes: [{ key: "k", value }] });

test.each([
  ["a trace id is no hex", { ...goodSpan, traceId: "trace-id22" }],
  ["a trace id has the wrong length", { ...goodSpan, traceId: "9b1827db" }],
  ["a span id has the wrong length", { ...goodSpan, spanId: goodSpan.traceId }],
  ["a trace id is all zero", { ...goodSpan, traceId: "0".repeat(32) }],
  ["a parent id is no hex", { ...goodSpan, parentSpanId: "parent" }],
  ["a span has no name", withoutName],
  ["a span has no start", withoutStart],
  ["a time is a number", { ...goodSpan, startTimeUnixNano: 1737247356203439000 }],
  ["a span ends before it starts", { ...goodSpan, endTimeUnixNano: "1737247356203438999" }],
  ["the kind is a name", { ...goodSpan, kind: "SPAN_KIND_CLIENT" }],
  ["the kind is unknown", { ...goodSpan, kind: 6 }],
  ["the status code is unknown", { ...goodSpan, status: { code: 3 } }],
  ["an attribute comes twice", { ...goodSpan, attributes: [attribute("a", "1"), attribute("a", "2")] }],
  ["a value is bare", withValue("text")],
  ["a value has two kinds", withValue({ stringValue: "a", intValue: "1" })],
  ["a value has an unknown kind", withValue({ textValue: "a" })],
  ["a stringValue is an object", withValue({ stringValue: {} })],
  ["an intValue is a number", withValue({ intValue: 1 })],
  ["an intValue is a fraction", withValue({ intValue: "1.5" })],
  ["a boolValue is a text", withValue({ boolValue: "true" })],
  ["a doubleValue is a text", withValue({ doubleValue: "1" })],
])("strict mode refuses the export where %s, loose mode takes it", async (_, bad) => {
  const fake = await start();
  expect((await send(fake, traces, { body: exportOf(bad) })).status).toBe(400);
  expect(fake.project("red").spans).toEqual([]);
  const loose = await start({ strict: false });
  expect((await send(loose, traces, { body: exportOf(bad) })).status).toBe(200);
});

test("verbatim ids are taken where that is switched on", async () => {
  const fake = await start({ verbatimIds: true });
  await send(fake, traces, { body: exportOf({ ...goodSpan, traceId: "trace-id22", spanId: "gen-id22" }) });
  expect(fake.project("red").spans[0]).toMatchObject({ traceId: "trace-id22", spanId: "gen-id22" });
});

test.each([{}, { resourceSpans: [] }])("an empty export is a 200: %j", async (body) => {
  expect((await send(await start(), traces, { body })).status).toBe(200);
});

test.each([
  ["application/x-protobuf", "Failed to parse OTel Protobuf Trace"],
  ["text/plain", "Invalid content type"],
])("content type %s is a 400", async (contentType, error) => {
  const headers = { "content-type": contentType };
  const answer = await send(await start(), traces, { body: exportOf(goodSpan), headers });
  expect(answer).toMatchObject({ status: 400, body: { error } });
});

test("a body that is no JSON is a 400", async () => {
  const answer = await send(await start(), traces, { raw: new Blob(["{"]) });
  expect(answer).toMatchObject({ status: 400, body: { error: "Failed to parse OTel JSON Trace" } });
});

test.each([
  ["4", 200],
  ["3", 200],
  ["5", 400],
  ["new", 400],
])("ingestion version %s is a %i", async (version, status) => {
  const headers = { "x-langfuse-ingestion-version": version };
  expect((await send(await start(), traces, { body: exportOf(goodSpan), headers })).status).toBe(status);
});
