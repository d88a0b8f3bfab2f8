import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startFakeWebhook, type FakeWebhook } from "../../../e2e/fakes/webhook.ts";
import { UpstreamError } from "#lib/errors.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import type { DeliveryContext } from "#logging/destinations/destination.ts";
import { findDestination } from "#logging/destinations/index.ts";
import { toStandardLoggingPayload } from "#logging/destinations/standard-logging-payload.ts";
import { webhook } from "#logging/destinations/webhook.ts";
import { makeRecord } from "#testing/make-record.ts";

/** A text that matches; as a bare pattern, `toMatchObject` would take any text. */
const like = (pattern: RegExp): unknown => expect.stringMatching(pattern);

const secret = "whsec-very-secret";
const token = "bearer-very-secret";

let fake: FakeWebhook;

beforeAll(async () => {
  fake = await startFakeWebhook({ secret });
});

afterEach(() => {
  fake.setBehaviour({});
  fake.requests.length = 0;
  fake.records.length = 0;
});

afterAll(async () => {
  await closeUpstreams();
  await fake.close();
});

const makeContext = (changes: Partial<DeliveryContext> = {}): DeliveryContext => ({
  callbackId: "callback-1",
  reach: "operator",
  signal: new AbortController().signal,
  ...changes,
});

const makeVars = (changes: Record<string, unknown> = {}) => ({
  webhook_url: `${fake.url}/in/path-token-123?key=query-token-456`,
  webhook_secret: secret,
  webhook_headers: JSON.stringify({ Authorization: `Bearer ${token}`, "X-Tenant": "one" }),
  ...changes,
});

const deliver = (vars: unknown = makeVars(), context = makeContext()) => webhook.deliver([makeRecord()], vars, context);

async function faultOf(delivery: Promise<unknown>): Promise<UpstreamError> {
  const error: unknown = await delivery.catch((reason: unknown) => reason);
  if (!(error instanceof UpstreamError)) throw new Error(`No UpstreamError: ${String(error)}`);
  for (const hidden of [secret, token, "path-token-123", "query-token-456"]) {
    expect(`${error.message} ${error.body}`).not.toContain(hidden);
  }
  return error;
}

describe("what the webhook gets", () => {
  test("a signed array of payloads with the user's headers and a key for repetitions", async () => {
    const records = [makeRecord({ recordId: "r1" }), makeRecord({ recordId: "r2", status: "failure", response: null })];
    expect(await webhook.deliver(records, makeVars(), makeContext())).toEqual(
      records.map(() => ({ outcome: "delivered", status: 200 })),
    );
    expect(fake.requests).toHaveLength(1);
    expect(fake.requests[0]).toMatchObject({ method: "POST", path: "/in/path-token-123?key=query-token-456" });
    expect(fake.requests[0]?.headers).toMatchObject({
      authorization: `Bearer ${token}`,
      "x-tenant": "one",
      "content-type": "application/json",
      "x-sluice-signature": like(/^t=\d+,v1=[0-9a-f]{64}$/),
      "idempotency-key": like(/^[0-9a-f]{32}$/),
    });
    expect(fake.records.map(({ record }) => record)).toEqual(records.map(toStandardLoggingPayload));
  });

  test("a retry has the same body and key; other records have another key", async () => {
    fake.setBehaviour({ loseAnswer: true, times: 1 });
    await faultOf(deliver());
    await deliver();
    await webhook.deliver([makeRecord({ recordId: "other" })], makeVars(), makeContext());
    const [lost, again, other] = fake.requests;
    expect(again?.text).toBe(lost?.text);
    expect(again?.headers["idempotency-key"]).toBe(lost?.headers["idempotency-key"]);
    expect(other?.headers["idempotency-key"]).not.toBe(lost?.headers["idempotency-key"]);
    expect(fake.records.map(({ receivedCount }) => receivedCount)).toEqual([2, 1]);
  });

  test("a record over 2 MB is shortened with a mark", async () => {
    const content = "x".repeat(3_000_000);
    const record = makeRecord({ input: { messages: [{ role: "user", content }] } });
    expect(await webhook.deliver([record], makeVars(), makeContext())).toMatchObject([{ outcome: "delivered" }]);
    expect(fake.requests[0]?.text.length).toBeLessThan(2_097_152);
    expect(JSON.stringify(fake.records[0]?.record["messages"])).toContain("...(truncated) [3000000 characters]");
  });
});

describe("LiteLLM's names", () => {
  test("generic_api is the same destination", () => {
    expect(findDestination("generic_api")).toBe(webhook);
  });

  test("its variables work, and an operator's address does not replace the one a team gave by the other name", async () => {
    const vars = {
      webhook_url: "https://operator.invalid/",
      webhook_secret: secret,
      GENERIC_LOGGER_ENDPOINT: fake.url,
      GENERIC_LOGGER_HEADERS: `Authorization=Bearer ${token}==,X-Two=2`,
    };
    expect(await deliver(vars)).toMatchObject([{ outcome: "delivered" }]);
    expect(fake.requests[0]?.headers).toMatchObject({ authorization: `Bearer ${token}==`, "x-two": "2" });
  });
});

describe("headers", () => {
  test.each([
    [`{"Host": "${token}"}`, '"host" must not be set'],
    [`{"Metadata-Flavor": "${token}"}`, '"metadata-flavor" must not be set'],
    [`X-Sluice-Signature=${token}`, '"x-sluice-signature" must not be set'],
    [`Content-Type=${token}`, '"content-type" must not be set'],
    [`{"X": "${token}\\r\\nY: 1"}`, "character"],
    [`{"X": {"y": "${token}"}}`, "JSON object"],
    [`{"X": "${token}`, "JSON object"],
    [token, "name=value"],
  ])("what may not be set is refused without its value, when saved and when sent: %s", async (text, reason) => {
    const saved = webhook.vars.safeParse({ webhook_headers: text });
    expect(saved.success).toBe(false);
    expect(JSON.stringify(saved.error?.issues)).toContain(JSON.stringify(reason).slice(1, -1));
    expect(JSON.stringify(saved.error?.issues)).not.toContain(token);
    expect(await faultOf(deliver(makeVars({ webhook_headers: text })))).toMatchObject({
      status: 0,
      fault: "destination",
    });
    expect(fake.requests).toHaveLength(0);
  });
});

describe("faults", () => {
  test.each([
    [401, "destination"],
    [404, "destination"],
    [410, "destination"],
    [302, "destination"],
    [409, "transient"],
    [500, "transient"],
  ] as const)("%i is a fault that is %s, without a secret that was echoed", async (status, fault) => {
    const body = JSON.stringify({ echo: [secret, token, "/in/path-token-123?key=query-token-456"] });
    fake.setBehaviour({ status, body, headers: { location: fake.url } });
    expect(await faultOf(deliver())).toMatchObject({ status, fault });
    expect(fake.requests).toHaveLength(1);
  });

  test("429 with a date says how long to wait", async () => {
    fake.setBehaviour({ status: 429, headers: { "retry-after": new Date(Date.now() + 60_000).toUTCString() } });
    const { retryAfterMs } = await faultOf(deliver());
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  test("a refused record is dead with the receiver's words", async () => {
    fake.setBehaviour({ status: 422, body: `{"error":"no such field, ${token}"}` });
    expect(await deliver()).toEqual([
      {
        outcome: "dead",
        status: 422,
        message: like(/^The webhook at .* said 422: .*no such field, \*\*\*/),
      },
    ]);
  });

  test.each(["", "ftp://x", "not a url", "http://user:pass@host/", "https://host/#x"])(
    "records wait where the address is none: %s",
    async (url) => {
      expect(await faultOf(deliver({ webhook_url: url }))).toMatchObject({ status: 0, fault: "destination" });
    },
  );

  test("an address that a team chose passes the address guard", async () => {
    expect(await faultOf(deliver(makeVars(), makeContext({ reach: "guarded" })))).toMatchObject({ status: 0 });
    expect(fake.requests).toHaveLength(0);
  });
});

describe("check", () => {
  test("sends a marked event that no receiver takes for a call", async () => {
    expect(await webhook.check(makeVars(), makeContext())).toMatchObject({ state: "healthy" });
    expect(fake.requests[0]?.headers["x-sluice-test"]).toBe("true");
    expect(JSON.parse(fake.requests[0]?.text ?? "")).toMatchObject([{ test: true }]);
    expect(fake.records).toHaveLength(0);
  });

  test("200 to everything proves nothing, and a web page is no receiver", async () => {
    fake.setBehaviour({ status: 200, body: "ok" });
    const result = await webhook.check(makeVars(), makeContext());
    expect(result).toMatchObject({ state: "unverified", message: like(/may drop records/) });
    fake.setBehaviour({ status: 200, body: "<html>Please sign in</html>", headers: { "content-type": "text/html" } });
    expect(await webhook.check(makeVars(), makeContext())).toMatchObject({ state: "unhealthy" });
  });

  test.each([
    [401, "unhealthy"],
    [500, "unhealthy"],
    [429, "unverified"],
    [400, "unverified"],
  ])("%i means %s", async (status, state) => {
    fake.setBehaviour({ status, body: token });
    const result = await webhook.check(makeVars(), makeContext());
    expect(result).toMatchObject({ state });
    expect(JSON.stringify(result)).not.toContain(token);
  });
});
