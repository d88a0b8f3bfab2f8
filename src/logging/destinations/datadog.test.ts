import { client, v2 } from "@datadog/datadog-api-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startFakeDatadog, type FakeDatadog } from "../../../e2e/fakes/datadog.ts";
import { UpstreamError } from "#lib/errors.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import { datadog } from "#logging/destinations/datadog.ts";
import { toDatadogTarget } from "#logging/destinations/datadog-target.ts";
import type { DeliveryContext } from "#logging/destinations/destination.ts";
import { toStandardLoggingPayload } from "#logging/destinations/standard-logging-payload.ts";
import { makeRecord } from "#testing/make-record.ts";

/** A text that matches; as a bare pattern, `toMatchObject` would take any text. */
const like = (pattern: RegExp): unknown => expect.stringMatching(pattern);

const apiKey = "dd-very-secret-key-of-team-one";

let fake: FakeDatadog;

beforeAll(async () => {
  fake = await startFakeDatadog({ apiKeys: [apiKey] });
});

afterEach(() => {
  fake.setBehaviour({});
  fake.requests.length = 0;
  fake.logs.length = 0;
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

const makeVars = (changes: Record<string, unknown> = {}) => ({ dd_api_key: apiKey, dd_base_url: fake.url, ...changes });

async function faultOf(vars: unknown, context = makeContext()): Promise<UpstreamError> {
  const error: unknown = await datadog.deliver([makeRecord()], vars, context).catch((reason: unknown) => reason);
  if (!(error instanceof UpstreamError)) throw new Error(`No UpstreamError: ${String(error)}`);
  expect(`${error.message} ${error.body}`).not.toContain(apiKey);
  return error;
}

describe("what Datadog gets", () => {
  test("one gzip request of entries that Datadog's own client would send as they are", async () => {
    const records = [makeRecord({ recordId: "r1" }), makeRecord({ recordId: "r2", status: "failure", response: null })];
    const vars = makeVars({ dd_service: "gateway", dd_env: "prod", dd_version: "1.2.3" });
    expect(await datadog.deliver(records, vars, makeContext())).toEqual(
      records.map(() => ({ outcome: "delivered", status: 202 })),
    );
    expect(fake.requests).toHaveLength(1);
    const [ours] = fake.requests;
    expect(ours).toMatchObject({ method: "POST", path: "/api/v2/logs" });
    expect(ours?.headers).toMatchObject({ "dd-api-key": apiKey, "content-encoding": "gzip" });

    const configuration = client.createConfiguration({
      authMethods: { apiKeyAuth: apiKey },
      baseServer: new client.BaseServerConfiguration(fake.url, {}),
    });
    const body: unknown = JSON.parse(ours?.text ?? "");
    const items = Array.isArray(body) ? body : [];
    await new v2.LogsApi(configuration).submitLog({ body: items.map(toItem), contentEncoding: "gzip" });
    const theirs = fake.requests[1];
    expect(theirs).toMatchObject({ method: "POST", path: "/api/v2/logs", status: 202 });
    for (const name of ["dd-api-key", "content-type", "content-encoding"]) {
      expect(theirs?.headers[name]).toBe(ours?.headers[name]);
    }
    expect(JSON.parse(theirs?.text ?? "")).toEqual(body);
  });

  test("an entry names outcome, team and tags, and its message is the whole payload", async () => {
    const record = makeRecord({ recordId: "r1", requestTags: ["a", "team:other,env:evil", "x".repeat(300)] });
    const failure = makeRecord({ recordId: "r2", status: "failure", response: null });
    await datadog.deliver([record, failure], makeVars(), makeContext());
    expect(fake.logs.map(({ entry }) => entry["status"])).toEqual(["info", "error"]);
    expect(fake.logs[0]?.entry).toMatchObject({ ddsource: "litellm", service: "litellm-server", hostname: "" });
    const tags = fake.logs[0]?.entry["ddtags"]?.split(",") ?? [];
    expect(tags.slice(0, 4)).toEqual(["env:unknown", "service:litellm-server", "version:unknown", "team:Team_One"]);
    expect(tags.slice(4, 6)).toEqual(["request_tag:a", "request_tag:team:other_env:evil"]);
    expect(tags[6]).toHaveLength(200);
    expect(fake.logs[0]?.message).toEqual(toStandardLoggingPayload(record));
  });

  test("a retry is byte for byte the same", async () => {
    fake.setBehaviour({ status: 503, times: 1 });
    await faultOf(makeVars());
    await datadog.deliver([makeRecord()], makeVars(), makeContext());
    expect(fake.requests[1]?.text).toBe(fake.requests[0]?.text);
  });

  test("an entry over 1 MB is shortened with a mark and stays whole JSON, and requests stay under 5 MB", async () => {
    const content = `"\n\u0000é`.repeat(400_000);
    const records = Array.from({ length: 8 }, (_, at) =>
      makeRecord({
        recordId: `r${String(at)}`,
        input: { messages: [{ role: "user", content: at === 0 ? content : "x".repeat(900_000) }] },
      }),
    );
    const results = await datadog.deliver(records, makeVars(), makeContext());
    expect(results.map(({ outcome }) => outcome)).toEqual(records.map(() => "delivered"));
    expect(fake.logs.map(({ message }) => message["record_id"])).toEqual(records.map(({ recordId }) => recordId));
    expect(JSON.stringify(fake.logs[0]?.message["messages"])).toContain("...(truncated) [1600000 characters]");
    expect(JSON.stringify(fake.logs[1]?.message["messages"])).not.toContain("truncated");
    expect(fake.requests.length).toBeGreaterThan(1);
  });
});

describe("faults", () => {
  test("a wrong key is a fault of the destination, without the key that Datadog echoes", async () => {
    const other = await datadog
      .deliver([makeRecord()], makeVars({ dd_api_key: "dd-wrong-secret" }), makeContext())
      .catch((error: unknown) => error);
    expect(other).toMatchObject({ status: 403, fault: "destination" });
    expect(String(other)).toContain("Forbidden");
    expect(String(other)).not.toContain("dd-wrong-secret");
  });

  test("429 is passing and says how long to wait", async () => {
    fake.setBehaviour({ status: 429, headers: { "retry-after": "12" } });
    expect(await faultOf(makeVars())).toMatchObject({ fault: "transient", retryAfterMs: 12_000 });
  });

  test("a redirect is not followed, and a web page or a bare 200 is no acknowledgement", async () => {
    fake.setBehaviour({ status: 307, headers: { location: `${fake.url}/api/v2/logs` } });
    expect(await faultOf(makeVars())).toMatchObject({ status: 307, fault: "destination" });
    expect(fake.requests).toHaveLength(1);
    fake.setBehaviour({ status: 202, body: "<html>sign in</html>", headers: { "content-type": "text/html" } });
    expect(await faultOf(makeVars())).toMatchObject({ fault: "destination" });
    fake.setBehaviour({ status: 200 });
    expect(await faultOf(makeVars())).toMatchObject({ fault: "destination" });
  });

  test("words of any length are cut to 500 characters", async () => {
    fake.setBehaviour({ status: 403, body: `${"word ".repeat(50_000)}${apiKey}` });
    expect((await faultOf(makeVars())).body.length).toBeLessThanOrEqual(500);
  });
});

describe("where it goes", () => {
  test("the site makes both hosts, an agent needs no key, and a base URL stands in for all", () => {
    expect(toDatadogTarget({ dd_api_key: "k", dd_site: "us5.datadoghq.com" })).toMatchObject({
      logsUrl: "https://http-intake.logs.us5.datadoghq.com/api/v2/logs",
      validateUrl: "https://api.us5.datadoghq.com/api/v1/validate",
    });
    expect(toDatadogTarget({ dd_api_key: "k" }).logsUrl).toBe("https://http-intake.logs.datadoghq.com/api/v2/logs");
    expect(toDatadogTarget({ dd_agent_host: "agent", dd_site: "datadoghq.eu" })).toMatchObject({
      logsUrl: "http://agent:10518/api/v2/logs",
      validateUrl: null,
      apiKey: null,
    });
    expect(
      toDatadogTarget({ dd_api_key: "k", dd_site: "datadoghq.eu", dd_base_url: "https://proxy/dd/" }).logsUrl,
    ).toBe("https://proxy/dd/api/v2/logs");
  });

  test.each(["evil.com/x?", "a@evil.com", "datadoghq.com:8080", "localhost", "x.com#", " ", "-a.com", "a..b"])(
    "a site that is no plain host name is refused: %s",
    (site) => {
      const isBlank = site.trim() === "";
      expect(datadog.vars.safeParse({ dd_site: site }).success).toBe(isBlank);
      const target = () => toDatadogTarget({ dd_api_key: "k", dd_site: site });
      if (isBlank) expect(target().logsUrl).toContain("datadoghq.com");
      else expect(target).toThrow("dd_site");
    },
  );

  test("a site or address that a team chose passes the address guard", async () => {
    const error = await faultOf(makeVars(), makeContext({ reach: "guarded" }));
    expect(error).toMatchObject({ status: 0 });
    expect(fake.requests).toHaveLength(0);
  });

  test("without a key records wait", async () => {
    expect(await faultOf({ dd_base_url: fake.url })).toMatchObject({
      fault: "destination",
      message: like(/dd_api_key/),
    });
  });
});

describe("check", () => {
  test("leaves no log behind, and tells a wrong key", async () => {
    expect(await datadog.check(makeVars(), makeContext())).toMatchObject({ state: "healthy" });
    const wrong = await datadog.check(makeVars({ dd_api_key: "wrong-secret" }), makeContext());
    expect(wrong).toMatchObject({ state: "unhealthy" });
    expect(JSON.stringify(wrong)).not.toContain("wrong-secret");
    expect(fake.logs).toHaveLength(0);
  });

  test("an agent is not called healthy, because it does not tell", async () => {
    expect(await datadog.check({ dd_agent_host: "127.0.0.1" }, makeContext())).toMatchObject({ state: "unverified" });
  });
});

function toItem(value: unknown): v2.HTTPLogItem {
  const item = new v2.HTTPLogItem();
  const { ddsource, ddtags, hostname, message, service, ...rest }: Record<string, string> =
    typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([name, field]) => [name, String(field)]))
      : {};
  return Object.assign(item, { ddsource, ddtags, hostname, message, service, additionalProperties: rest });
}
