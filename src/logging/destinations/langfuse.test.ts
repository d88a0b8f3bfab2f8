import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { readBody, sendJson, startFakeServer } from "../../../e2e/fakes/fake-server.ts";
import { startFakeLangfuse } from "../../../e2e/fakes/langfuse.ts";
import type { FakeLangfuse } from "../../../e2e/fakes/langfuse.ts";
import { UpstreamError } from "#lib/errors.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import type { DeliveryContext, DeliveryResult } from "#logging/destinations/destination.ts";
import { langfuse } from "#logging/destinations/langfuse.ts";
import type { LogRecord } from "#logging/record.ts";
import { makeRecord } from "#testing/make-record.ts";

const publicKey = "pk-lf-team-one";
const secretKey = "sk-lf-very-secret-team-one";
const project = { id: "project-1", name: "Team One", publicKey, secretKey };

let fake: FakeLangfuse;
/** Knows only hex ids, as a collector in front of Langfuse would: it refuses an export with any other id. */
let conformantFake: FakeLangfuse;

beforeAll(async () => {
  fake = await startFakeLangfuse({ projects: [project], verbatimIds: true });
  conformantFake = await startFakeLangfuse({ projects: [project], verbatimIds: false });
});

afterEach(() => {
  for (const each of [fake, conformantFake]) {
    each.setBehaviour({});
    each.reset();
  }
});

afterAll(async () => {
  await closeUpstreams();
  await Promise.all([fake.close(), conformantFake.close()]);
});

function makeContext(changes: Partial<DeliveryContext> = {}): DeliveryContext {
  return { callbackId: "callback-1", reach: "operator", signal: new AbortController().signal, ...changes };
}

function makeVars(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { langfuse_public_key: publicKey, langfuse_secret_key: secretKey, langfuse_host: fake.url, ...changes };
}

function deliver(records: LogRecord[], vars = makeVars()): Promise<readonly DeliveryResult[]> {
  return langfuse.deliver(records, vars, makeContext());
}

async function fault(delivery: Promise<unknown>): Promise<UpstreamError> {
  const error = await delivery.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UpstreamError)) throw new Error(`No UpstreamError: ${String(error)}`);
  for (const text of [error.message, error.body, JSON.stringify(error.cause ?? null)]) {
    expect(text).not.toContain(secretKey);
    expect(text).not.toContain(Buffer.from(`${publicKey}:${secretKey}`).toString("base64"));
  }
  return error;
}

describe("one request per batch", () => {
  test("many records are one gzip request with credentials and version headers", async () => {
    const records = Array.from({ length: 50 }, (_, at) => makeRecord({ recordId: `record-${String(at)}` }));
    expect(await deliver(records)).toEqual(records.map(() => ({ outcome: "delivered", status: 200 })));
    expect(fake.project("project-1").spans).toHaveLength(50);
    expect(fake.requests).toHaveLength(1);
    expect(fake.requests[0]).toMatchObject({ method: "POST", path: "/api/public/otel/v1/traces" });
    expect(fake.requests[0]?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from(`${publicKey}:${secretKey}`).toString("base64")}`,
      "content-type": "application/json",
      "content-encoding": "gzip",
      "x-langfuse-ingestion-version": "4",
      "x-langfuse-sdk-name": "sluice",
      "x-langfuse-public-key": publicKey,
    });
  });

  test("langfuse_secret wins over langfuse_secret_key", async () => {
    const vars = makeVars({ langfuse_secret: secretKey, langfuse_secret_key: "sk-lf-wrong" });
    expect(await deliver([makeRecord()], vars)).toEqual([{ outcome: "delivered", status: 200 }]);
  });

  test("missing credentials and a host that is no address wait for a correction", async () => {
    const missing = await fault(deliver([makeRecord()], { langfuse_host: fake.url, langfuse_public_key: "pk" }));
    expect(missing).toMatchObject({ status: 0, fault: "destination" });
    expect(missing.message).toBe("Langfuse credentials are missing: langfuse_secret_key");
    const badHost = await fault(deliver([makeRecord()], makeVars({ langfuse_host: "ftp://x" })));
    expect(badHost.fault).toBe("destination");
  });
});

describe("what Langfuse answers decides what becomes of the records", () => {
  test("a refused export is halved until only the record at fault is dead", async () => {
    const server = await startFakeServer(async (request, response) => {
      const isRefused = gunzipSync(await readBody(request)).includes("poison");
      sendJson(response, { status: isRefused ? 400 : 200, body: { error: "Invalid OTLP trace export" } });
    });
    const records = Array.from({ length: 7 }, (_, at) =>
      makeRecord({ recordId: `record-${String(at)}`, requesterMetadata: at === 4 ? { own: "poison" } : {} }),
    );
    const results = await deliver(records, makeVars({ langfuse_host: server.url }));
    await server.close();
    expect(results.map(({ outcome }) => outcome)).toEqual([
      ...["delivered", "delivered", "delivered", "delivered", "dead", "delivered", "delivered"],
    ]);
    expect(results[4]).toMatchObject({ status: 400 });
    expect(results[4]?.message).toContain("said 400: Invalid OTLP trace export");
  });

  test("where a client's own ids are refused the record is sent with ids made of them, always the same", async () => {
    const requesterMetadata = { trace_id: "my trace", generation_id: "my answer", parent_observation_id: "my step" };
    const records = [makeRecord(), makeRecord({ recordId: "record-2", requesterMetadata })];
    const vars = makeVars({ langfuse_host: conformantFake.url });
    const expected = [
      { outcome: "delivered", status: 200 },
      { outcome: "delivered", status: 200, message: "Sent with hashed ids: the client's own were refused" },
    ];
    expect(await deliver(records, vars)).toEqual(expected);
    expect(await deliver(records, vars)).toEqual(expected);
    const { spans } = conformantFake.project("project-1");
    expect(spans).toHaveLength(2);
    expect(spans.find(({ parentSpanId }) => parentSpanId)).toMatchObject({
      traceId: createHash("sha256").update("my trace").digest("hex").slice(0, 32),
      spanId: createHash("sha256").update("my answer").digest("hex").slice(0, 16),
      parentSpanId: createHash("sha256").update("my step").digest("hex").slice(0, 16),
    });
  });

  test("a fault in the second half leaves the first half's results standing", async () => {
    let calls = 0;
    const server = await startFakeServer(async (request, response) => {
      await readBody(request);
      calls += 1;
      const status = calls === 1 ? 400 : calls === 2 ? 200 : 429;
      sendJson(response, { status, body: { message: "told so" }, headers: { "retry-after": "9" } });
    });
    try {
      const results = await deliver([makeRecord(), makeRecord()], makeVars({ langfuse_host: server.url }));
      expect(results[0]).toEqual({ outcome: "delivered", status: 200 });
      expect(results[1]).toMatchObject({ outcome: "retry", status: 429, retryAfterMs: 9000 });
    } finally {
      await server.close();
    }
  });

  test("too large a batch is split, too large a record is shortened once with a marker", async () => {
    const server = await startFakeServer(async (request, response) => {
      const text = gunzipSync(await readBody(request)).toString();
      sendJson(response, { status: text.length > 20_000 ? 413 : 200, body: {} });
      if (text.length <= 20_000) received.push(text);
    });
    const received: string[] = [];
    try {
      const messages = Array.from({ length: 20 }, () => ({ role: "user", content: "x".repeat(2000) }));
      const large = makeRecord({ recordId: "large", input: { messages } });
      const results = await deliver([makeRecord(), large], makeVars({ langfuse_host: server.url }));
      expect(results[0]).toEqual({ outcome: "delivered", status: 200 });
      expect(results[1]).toMatchObject({ outcome: "delivered", status: 200 });
      expect(results[1]?.message).toContain("shortened");
      expect(received[1]).toContain("...(truncated) [2000 characters]");
    } finally {
      await server.close();
    }
  });

  test("a batch whose export grew too large is sent in parts", async () => {
    const messages = Array.from({ length: 100 }, () => ({ role: "user", content: "\n".repeat(8000) }));
    const records = ["a", "b", "c"].map((recordId) => makeRecord({ recordId, input: { messages } }));
    expect(await deliver(records)).toEqual(records.map(() => ({ outcome: "delivered", status: 200 })));
    expect(fake.requests.length).toBeGreaterThan(1);
    expect(fake.project("project-1").spans).toHaveLength(3);
  });

  test("a 200 that names rejected spans delivered nothing", async () => {
    fake.setBehaviour({ status: 200, body: { partialSuccess: { rejectedSpans: "1", errorMessage: "no" } } });
    expect(await deliver([makeRecord()])).toMatchObject([{ outcome: "dead", status: 200 }]);
    fake.setBehaviour({ status: 200, body: { partialSuccess: { rejectedSpans: "0" } } });
    expect(await deliver([makeRecord()])).toEqual([{ outcome: "delivered", status: 200 }]);
  });

  test("a record that stays too large is dead", async () => {
    fake.setBehaviour({ status: 413 });
    const results = await deliver([makeRecord()]);
    expect(results).toMatchObject([{ outcome: "dead", status: 413 }]);
    expect(fake.requests).toHaveLength(2);
  });

  test("wrong credentials are the destination's fault, told in Langfuse's words", async () => {
    const error = await fault(deliver([makeRecord()], makeVars({ langfuse_secret_key: "sk-lf-wrong" })));
    expect(error).toMatchObject({ status: 401, fault: "destination" });
    expect(error.message).toBe(
      `Langfuse at ${new URL(fake.url).host} said 401: Invalid credentials. Confirm that you've configured the correct host.`,
    );
  });

  test("an echoed secret never gets into an error", async () => {
    const token = Buffer.from(`${publicKey}:${secretKey}`).toString("base64");
    const echo = `${"x".repeat(480)} ${secretKey} Basic ${token} ${publicKey} ${"y".repeat(5000)}`;
    for (const status of [400, 401, 403, 404, 429, 500, 302]) {
      fake.setBehaviour({ status, body: { message: echo } });
      const results = await deliver([makeRecord()]).catch((error: unknown) => error);
      const text = results instanceof UpstreamError ? `${results.message} ${results.body}` : JSON.stringify(results);
      expect(text).not.toContain(secretKey.slice(0, 12));
      expect(text).not.toContain(token.slice(0, 12));
      expect(text).not.toContain(publicKey);
      expect(text.length).toBeLessThan(1300);
    }
  });

  test.each([
    [403, "destination"],
    [404, "destination"],
    [405, "destination"],
    [402, "destination"],
    [408, "transient"],
    [429, "transient"],
    [500, "transient"],
    [503, "transient"],
  ])("a %i is a fault of kind %s for the whole batch", async (status, kind) => {
    fake.setBehaviour({ status, body: { message: "words of the server" } });
    const error = await fault(deliver([makeRecord(), makeRecord()]));
    expect(error).toMatchObject({ status, fault: kind });
    expect(error.message).toContain(status === 404 ? "older than 3.22" : "words of the server");
    // After a 404 the old wire is tried once.
    expect(fake.requests).toHaveLength(status === 404 ? 2 : 1);
  });

  test("Retry-After is taken from the header in both forms, or from the body", async () => {
    fake.setBehaviour({ status: 429, headers: { "retry-after": "7" } });
    expect((await fault(deliver([makeRecord()]))).retryAfterMs).toBe(7000);
    fake.setBehaviour({ status: 429, headers: { "retry-after": new Date(Date.now() + 60_000).toUTCString() } });
    const { retryAfterMs } = await fault(deliver([makeRecord()]));
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
    fake.setBehaviour({ status: 429, body: { message: "Rate limit exceeded", details: { retryAfterSeconds: 3 } } });
    expect((await fault(deliver([makeRecord()]))).retryAfterMs).toBe(3000);
  });

  test("a redirect is not followed and is the destination's fault", async () => {
    fake.setBehaviour({ status: 302, headers: { location: `${conformantFake.url}/api/public/otel/v1/traces` } });
    const error = await fault(deliver([makeRecord()]));
    expect(error).toMatchObject({ status: 302, fault: "destination" });
    expect(error.message).toContain("redirects are not followed");
    expect(conformantFake.requests).toEqual([]);
  });

  test("a web page with status 200 is no delivery", async () => {
    fake.setBehaviour({ status: 200, body: "<!doctype html><title>Sign in</title>" });
    const error = await fault(deliver([makeRecord()]));
    expect(error).toMatchObject({ status: 200, fault: "destination" });
    expect(error.message).toContain("web page");
  });

  test("a dropped connection is passing, and the repetition is no duplicate", async () => {
    fake.setBehaviour({ loseAnswer: true });
    expect(await fault(deliver([makeRecord()]))).toMatchObject({ status: 0, fault: "transient" });
    fake.setBehaviour({});
    await deliver([makeRecord()]);
    expect(fake.project("project-1").spans).toHaveLength(1);
  });

  test("a hanging server is left as soon as the delivery is aborted", async () => {
    fake.setBehaviour({ hang: true });
    const controller = new AbortController();
    const delivery = langfuse.deliver([makeRecord()], makeVars(), makeContext({ signal: controller.signal }));
    const outcome = expect(delivery).rejects.toThrow("logging was disabled");
    await expect.poll(() => fake.requests.length).toBe(1);
    controller.abort(new Error("logging was disabled"));
    await outcome;
  });
});

describe("the check", () => {
  const check = (changes: Record<string, unknown> = {}) => langfuse.check(makeVars(changes), makeContext());

  test("names the project and writes nothing", async () => {
    expect(await check()).toEqual({
      state: "healthy",
      message: `Records land in the Langfuse project "Team One" at ${new URL(fake.url).host}`,
      target: "Team One (project-1)",
    });
    expect(fake.project("project-1").spans).toEqual([]);
  });

  test.each([
    ["a wrong secret", { langfuse_secret_key: "sk-lf-wrong" }, "said 401: Invalid credentials"],
    [
      "no credentials",
      { langfuse_public_key: "", langfuse_secret_key: undefined },
      "missing: langfuse_public_key, langfuse_secret_key",
    ],
    ["swapped keys", { langfuse_public_key: secretKey, langfuse_secret_key: publicKey }, "holds a secret key"],
    ["nobody there", { langfuse_host: "http://127.0.0.1:1" }, "127.0.0.1:1"],
  ])("%s is unhealthy and says why", async (_title, changes, words) => {
    const result = await check(changes);
    expect(result).toMatchObject({ state: "unhealthy", target: null });
    expect(result.message).toContain(words);
    expect(result.message).not.toContain(secretKey);
  });

  test("a web page, an old server and a rate limit are told apart", async () => {
    fake.setBehaviour({ status: 200, body: "<html></html>" });
    expect((await check()).message).toContain("web page");
    expect((await check()).state).toBe("unhealthy");
    fake.setBehaviour({ status: 404, body: { message: "Not Found" } });
    expect((await check()).message).toContain("3.22");
    expect((await check()).state).toBe("unhealthy");
    fake.setBehaviour({ status: 429 });
    expect(await check()).toMatchObject({ state: "unverified" });
  });
});

describe("the variables", () => {
  test.each([
    ["us.cloud.langfuse.com", true],
    ["http://langfuse.internal:3000/base/", true],
    ["", true],
    ["ftp://langfuse.example", false],
    ["https://user:pass@langfuse.example", false],
    ["https://langfuse.example?x=1", false],
    ["not a host", false],
  ])("the host %j is accepted: %s", (langfuse_host, accepted) => {
    expect(langfuse.vars.safeParse({ langfuse_host }).success).toBe(accepted);
  });

  test.each([
    ["production", true],
    ["a-b_9", true],
    ["", true],
    ["Production", false],
    ["langfuse-x", false],
    ["a b", false],
  ])("the environment %j is accepted: %s", (langfuse_environment, accepted) => {
    expect(langfuse.vars.safeParse({ langfuse_environment }).success).toBe(accepted);
  });
});
