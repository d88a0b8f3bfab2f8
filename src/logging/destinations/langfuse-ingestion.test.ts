import type { components } from "langfuse-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { readBody, sendJson, startFakeServer } from "../../../e2e/fakes/fake-server.ts";
import { startFakeLangfuse } from "../../../e2e/fakes/langfuse.ts";
import type { FakeLangfuse } from "../../../e2e/fakes/langfuse.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import type { DeliveryResult } from "#logging/destinations/destination.ts";
import { toIngestionEvents } from "#logging/destinations/langfuse-ingestion-event.ts";
import { isOnOldWire } from "#logging/destinations/langfuse-ingestion-wire.ts";
import { toLangfuseTarget } from "#logging/destinations/langfuse-target.ts";
import { langfuse } from "#logging/destinations/langfuse.ts";
import { noUsage } from "#logging/record.ts";
import type { LogRecord } from "#logging/record.ts";
import { makeRecord } from "#testing/make-record.ts";

const project = { id: "p", name: "Project", publicKey: "pk-lf-old", secretKey: "sk-lf-old-secret-of-project" };
const ingestionPath = "/api/public/ingestion";
const tracesPath = "/api/public/otel/v1/traces";
const options = { callbackId: "callback-1", environment: null, promptVersion: null, brief: false };

const Batch = z.object({ batch: z.array(z.object({ id: z.string(), type: z.string() })) });
type SentEvent = z.output<typeof Batch>["batch"][number];

let old: FakeLangfuse;
let current: FakeLangfuse;

beforeAll(async () => {
  old = await startFakeLangfuse({ projects: [project], version: "3.21.0" });
  current = await startFakeLangfuse({ projects: [project], verbatimIds: true });
});

afterEach(() => {
  for (const fake of [old, current]) {
    fake.setBehaviour({});
    fake.reset();
  }
});

afterAll(async () => {
  await closeUpstreams();
  await Promise.all([old.close(), current.close()]);
});

function varsOf(url: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    langfuse_public_key: project.publicKey,
    langfuse_secret_key: project.secretKey,
    langfuse_host: url,
    ...changes,
  };
}

function deliver(records: LogRecord[], vars: Record<string, unknown>): Promise<readonly DeliveryResult[]> {
  const signal = new AbortController().signal;
  return langfuse.deliver(records, vars, { callbackId: "callback-1", reach: "operator", signal });
}

function paths(fake: FakeLangfuse): string[] {
  return fake.requests.map(({ path }) => path);
}

/** Delivers by the old batch and gives what the project then shows. */
async function show(record: LogRecord, changes: Record<string, unknown> = {}) {
  const results = await deliver([record], varsOf(old.url, { langfuse_wire: "ingestion", ...changes }));
  expect(results).toEqual([{ outcome: "delivered", status: 201 }]);
  const { traces, observations } = old.project("p");
  expect([traces.length, observations.length]).toEqual([1, 1]);
  return { trace: traces[0]?.body ?? {}, generation: observations[0]?.body ?? {} };
}

describe("the wire is found out", () => {
  test("a server without OpenTelemetry gets the same records by the batch at once, and is remembered", async () => {
    const vars = varsOf(old.url);
    expect(await deliver([makeRecord()], vars)).toEqual([{ outcome: "delivered", status: 201 }]);
    expect(paths(old)).toEqual([tracesPath, ingestionPath]);
    await deliver([makeRecord({ recordId: "second" })], vars);
    expect(paths(old)).toEqual([tracesPath, ingestionPath, ingestionPath]);
    expect(old.project("p").observations).toHaveLength(2);
  });

  test("an upgraded server refuses the batch and gets the same records by OpenTelemetry at once", async () => {
    const first = await startFakeLangfuse({ projects: [project], version: "2.95.0" });
    const vars = varsOf(first.url);
    await deliver([makeRecord()], vars);
    expect(first.project("p").observations).toHaveLength(1);
    await first.close();
    const upgraded = await startFakeLangfuse({ projects: [project], port: first.port });
    try {
      // A kept connection ends with the old server; the repetition is what the deliverer would do.
      const records = [makeRecord({ recordId: "after-1" }), makeRecord({ recordId: "after-2" })];
      const results = await deliver(records, vars).catch(() => deliver(records, vars));
      expect(results).toEqual(records.map(() => ({ outcome: "delivered", status: 200 })));
      expect(paths(upgraded)).toEqual([ingestionPath, tracesPath]);
      expect(upgraded.project("p").spans).toHaveLength(2);
      await deliver([makeRecord({ recordId: "after-3" })], vars);
      expect(paths(upgraded).at(-1)).toBe(tracesPath);
    } finally {
      await upgraded.close();
    }
  });

  test("what is remembered ends after an hour and holds for that host and project alone", async () => {
    await deliver([makeRecord()], varsOf(old.url));
    const nowMs = Date.now();
    const target = toLangfuseTarget(varsOf(old.url));
    expect(isOnOldWire(target, nowMs)).toBe(true);
    expect(isOnOldWire(target, nowMs + 3_600_001)).toBe(false);
    expect(isOnOldWire({ ...target, publicKey: "pk-lf-other" }, nowMs)).toBe(false);
    expect(isOnOldWire({ ...target, url: current.url }, nowMs)).toBe(false);
  });

  test("a host that is no Langfuse is told from an old one", async () => {
    const server = await startFakeServer((request, response) => {
      request.resume();
      sendJson(response, { status: 404, body: {} });
    });
    try {
      await expect(deliver([makeRecord()], varsOf(server.url))).rejects.toMatchObject({
        status: 404,
        fault: "destination",
      });
    } finally {
      await server.close();
    }
  });

  test("langfuse_wire insists on one", async () => {
    await expect(deliver([makeRecord()], varsOf(old.url, { langfuse_wire: "otlp" }))).rejects.toMatchObject({
      status: 404,
      fault: "destination",
    });
    expect(paths(old)).toEqual([tracesPath]);
    const refused = deliver([makeRecord()], varsOf(current.url, { langfuse_wire: "ingestion" }));
    await expect(refused).rejects.toMatchObject({ status: 400, fault: "destination" });
    await expect(refused).rejects.toThrow("Event type not accepted");
    expect(paths(current)).toEqual([ingestionPath]);
  });

  test("a check of an old server is healthy and says so", async () => {
    const context = { callbackId: "c", reach: "operator", signal: new AbortController().signal } as const;
    const result = await langfuse.check(varsOf(old.url), context);
    expect(result).toMatchObject({ state: "healthy", target: "Project (p)" });
    expect(result.message).toContain("old ingestion batch");
    expect(old.project("p").traces).toEqual([]);
    expect(old.project("p").observations).toEqual([]);
  });

  test("a check finds out that a server refuses the old batch event by event, and that one drops it unread", async () => {
    const context = { callbackId: "c", reach: "operator", signal: new AbortController().signal } as const;
    const refused = await langfuse.check(varsOf(current.url, { langfuse_wire: "ingestion" }), context);
    expect(refused).toMatchObject({ state: "unhealthy", target: null });
    expect(refused.message).toContain("Event type not accepted");
    const dropping = await startFakeServer((request, response) => {
      const projects = { data: [{ id: "p", name: "Project" }] };
      const body = request.url === "/api/public/projects" ? projects : { successes: [], errors: [] };
      sendJson(response, { status: request.url === "/api/public/projects" ? 200 : 207, body });
    });
    const dropped = await langfuse.check(varsOf(dropping.url, { langfuse_wire: "ingestion" }), context);
    await dropping.close();
    expect(dropped).toMatchObject({ state: "unhealthy", target: null });
    expect(dropped.message).toContain("no result for the event");
  });
});

describe("every item is judged by itself", () => {
  /** A server of the batch endpoint alone that answers each event as `statusOf` says. */
  async function startJudge(statusOf: (event: SentEvent, index: number) => number, requests: SentEvent[][] = []) {
    return startFakeServer(async (request, response) => {
      const { batch } = Batch.parse(JSON.parse((await readBody(request)).toString()));
      requests.push(batch);
      const items = batch.map((event, index) => ({
        id: event.id,
        status: statusOf(event, index),
        message: "words",
      }));
      const successes = items.filter(({ status }) => status === 201);
      sendJson(response, { status: 207, body: { successes, errors: items.filter((item) => item.status !== 201) } });
    });
  }

  test("201 is delivered, 400, 401 and 404 are dead, 500 is tried again, silence too", async () => {
    const statuses = [201, 400, 401, 404, 500];
    const requests: SentEvent[][] = [];
    const server = await startJudge(
      (_event, index) => (index % 2 === 0 ? 201 : (statuses[(index - 1) / 2] ?? 0)),
      requests,
    );
    try {
      const records = statuses.map((status) => makeRecord({ recordId: `record-${String(status)}` }));
      const results = await deliver(records, varsOf(server.url, { langfuse_wire: "ingestion" }));
      expect(results.map(({ outcome, status }) => [outcome, status])).toEqual([
        ["delivered", 201],
        ["dead", 400],
        ["dead", 401],
        ["dead", 404],
        ["retry", 500],
      ]);
      expect(results[1]?.message).toContain("said 400: words");
      expect(requests).toHaveLength(1);
    } finally {
      await server.close();
    }
  });

  test("a trace that is refused makes its record dead although the generation was taken", async () => {
    const server = await startJudge((event) => (event.type === "trace-create" ? 400 : 201));
    try {
      const results = await deliver([makeRecord()], varsOf(server.url, { langfuse_wire: "ingestion" }));
      expect(results).toMatchObject([{ outcome: "dead", status: 400 }]);
    } finally {
      await server.close();
    }
  });

  test.each([
    [401, "destination"],
    [403, "destination"],
    [429, "transient"],
    [500, "transient"],
  ])("a %i for the whole batch is a fault of kind %s, whatever its words", async (status, fault) => {
    old.setBehaviour({ status, body: { message: "Invalid request data", errors: ["blob storage"] } });
    const delivery = deliver([makeRecord()], varsOf(old.url, { langfuse_wire: "ingestion" }));
    await expect(delivery).rejects.toMatchObject({ status, fault });
  });

  test("too large a batch is split, too large a record shortened, and one that stays too large is dead", async () => {
    old.setBehaviour({ status: 413 });
    const results = await deliver([makeRecord(), makeRecord()], varsOf(old.url, { langfuse_wire: "ingestion" }));
    expect(results).toMatchObject([
      { outcome: "dead", status: 413 },
      { outcome: "dead", status: 413 },
    ]);
    expect(old.requests).toHaveLength(5);
  });

  test("many large records go in batches below the documented limit", async () => {
    const messages = Array.from({ length: 20 }, () => ({ role: "user", content: "x".repeat(20_000) }));
    const records = Array.from({ length: 12 }, (_, at) =>
      makeRecord({ recordId: `r${String(at)}`, input: { messages } }),
    );
    const results = await deliver(records, varsOf(old.url, { langfuse_wire: "ingestion" }));
    expect(results.every(({ outcome }) => outcome === "delivered")).toBe(true);
    expect(old.requests.length).toBeGreaterThan(1);
    for (const { bodyBytes } of old.requests) expect(bodyBytes).toBeLessThanOrEqual(3_500_000);
  });
});

describe("the events", () => {
  test("are what Langfuse's own client sends, by its types", () => {
    const events: components["schemas"]["IngestionEvent"][] = toIngestionEvents(makeRecord(), options);
    expect(events.map(({ type }) => type)).toEqual(["trace-create", "generation-create"]);
    for (const { id } of events)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test("of a repetition are the same, those of another record or callback are not", () => {
    const [first, again, otherRecord, otherCallback] = [
      toIngestionEvents(makeRecord(), options),
      toIngestionEvents(makeRecord(), options),
      toIngestionEvents(makeRecord({ recordId: "another" }), options),
      toIngestionEvents(makeRecord(), { ...options, callbackId: "callback-2" }),
    ];
    expect(again).toEqual(first);
    const ids = [first, otherRecord, otherCallback].flatMap((events) => events.map(({ id }) => id));
    expect(new Set(ids).size).toBe(6);
  });

  test("of more than a megabyte lose their largest part, and the rest stays", () => {
    const messages = Array.from({ length: 60 }, () => ({ role: "user", content: "x".repeat(30_000) }));
    for (const event of toIngestionEvents(makeRecord({ input: { messages } }), options)) {
      expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThanOrEqual(1024 * 1024);
      expect(event.body.input).toBe("<truncated due to size exceeding limit>");
      expect(event.body.output).toMatchObject({ role: "assistant" });
    }
  });

  test("hold scalars as model parameters, whole numbers as usage and times with a zone", async () => {
    const modelParameters = { stop: ["a"], response_format: { type: "json_object" }, logit_bias: { "1": 2 }, n: 1 };
    const usage = { ...noUsage, promptTokens: 10.4, completionTokens: 4, totalTokens: 14 };
    const { generation } = await show(makeRecord({ modelParameters, usage }));
    expect(generation).toMatchObject({
      modelParameters: { stop: '["a"]', response_format: '{"type":"json_object"}', logit_bias: '{"1":2}', n: 1 },
      usageDetails: { input: 10, output: 4, total: 14 },
      startTime: "2025-11-21T01:29:29.123Z",
      endTime: "2025-11-21T01:29:30.500Z",
    });
  });

  test("name a prompt only with its version", async () => {
    const without = await show(makeRecord({ requesterMetadata: { prompt: "greeting" } }));
    expect(without.generation).not.toHaveProperty("promptName");
    old.reset();
    const withVersion = await show(makeRecord({ requesterMetadata: { prompt: { name: "greeting", version: 3 } } }));
    expect(withVersion.generation).toMatchObject({ promptName: "greeting", promptVersion: 3 });
  });

  test("of a call that continues a trace leave the trace alone but for what is listed", async () => {
    const steering = {
      existing_trace_id: "my-own-trace",
      trace_name: "no",
      trace_release: "r2",
      update_trace_keys: ["output", "trace_release"],
    };
    const { trace, generation } = await show(makeRecord({ requesterMetadata: steering }));
    expect(trace).toEqual({
      id: "my-own-trace",
      timestamp: "2025-11-21T01:29:29.123Z",
      release: "r2",
      output: { role: "assistant", content: "Hi, how can I help?" },
    });
    expect(generation).toMatchObject({ traceId: "my-own-trace", input: { messages: [{ role: "user" }] } });
    expect(generation).not.toHaveProperty("parentObservationId");
  });

  test("of a failure show the error in the generation and no output in the trace", async () => {
    const error = { code: "500", class: "InternalServerError", message: "broken" };
    const { trace, generation } = await show(makeRecord({ status: "failure", response: null, usage: noUsage, error }));
    expect(generation).toMatchObject({ level: "ERROR", statusMessage: "broken", output: "broken" });
    expect(generation).not.toHaveProperty("usage");
    expect(trace).not.toHaveProperty("output");
  });
});

test.each<[string, Partial<LogRecord>, Record<string, unknown>]>([
  ["plain", {}, {}],
  [
    "failed",
    { status: "failure", response: null, usage: noUsage, error: { code: "1", class: "E", message: "no" } },
    {},
  ],
  ["cached", { usage: { ...noUsage, promptTokens: 9, completionTokens: 2, totalTokens: 11, cacheReadTokens: 4 } }, {}],
  [
    "steered",
    {
      requesterMetadata: {
        ...{
          trace_id: "0af7651916cd43dd8448eb211c80319c",
          generation_id: "g",
          generation_name: "gn",
          trace_name: "tn",
        },
        ...{ session_id: "s", trace_user_id: "u", version: "v", trace_release: "r", trace_public: true },
        ...{ parent_observation_id: "parent", prompt: { name: "p", version: 2 }, trace_metadata: { k: { deep: [1] } } },
        ...{ other: { a: "b" }, number: 1.5, flag: true },
      },
    },
    { langfuse_environment: "staging", langfuse_default_tags: ["user_api_key_team_alias", "cache_hit", "other"] },
  ],
  ["priced, tokenless", { usage: noUsage, responseCostUsd: 0.04 }, {}],
  ["masked", { requesterMetadata: { mask_input: true, mask_output: "true" } }, {}],
])("a %s call shows the same on both wires", async (_title, changes, vars) => {
  const record = makeRecord(changes);
  const { trace, generation } = await show(record, vars);
  await deliver([record], varsOf(current.url, vars));
  const [span] = current.project("p").spans;
  if (!span) throw new Error("There is no span.");
  expect(generation).toEqual({
    id: span.spanId,
    traceId: span.traceId,
    ...optional("parentObservationId", span.parentSpanId),
    name: span.name,
    startTime: span.startTime,
    endTime: span.endTime,
    completionStartTime: span.completionStartTime,
    level: span.level,
    ...optional("statusMessage", span.statusMessage),
    model: span.model,
    modelParameters: span.modelParameters,
    ...optional("usageDetails", span.usage),
    ...optional("costDetails", span.cost),
    ...optional("promptName", span.promptName),
    ...optional("promptVersion", span.promptVersion),
    ...optional("version", span.version),
    ...(span.environment === "default" ? {} : { environment: span.environment }),
    metadata: span.metadata,
    input: span.input,
    ...optional("output", span.output),
    // The old form of the counts has no counterpart on the other wire.
    ...("usage" in generation ? { usage: generation["usage"] } : {}),
  });
  expect(trace).toEqual({
    id: span.traceId,
    timestamp: span.startTime,
    name: span.traceName,
    ...optional("userId", span.userId),
    ...optional("sessionId", span.sessionId),
    ...optional("release", span.release),
    ...optional("version", span.version),
    ...(span.public ? { public: true } : {}),
    tags: span.tags,
    ...(span.environment === "default" ? {} : { environment: span.environment }),
    ...(Object.keys(span.traceMetadata).length === 0 ? {} : { metadata: span.traceMetadata }),
    input: span.input,
    ...optional("output", record.status === "success" ? span.output : null),
  });
});

function optional(name: string, value: unknown): Record<string, unknown> {
  return value === null || value === undefined ? {} : { [name]: value };
}
