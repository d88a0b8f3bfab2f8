import { Client } from "langsmith";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startFakeLangsmith, type FakeLangsmith } from "../../../e2e/fakes/langsmith.ts";
import { UpstreamError } from "#lib/errors.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import type { DeliveryContext } from "#logging/destinations/destination.ts";
import { langsmith } from "#logging/destinations/langsmith.ts";
import { toLangsmithRun } from "#logging/destinations/langsmith-run.ts";
import { toStandardLoggingPayload } from "#logging/destinations/standard-logging-payload.ts";
import type { JsonObject, LogRecord } from "#logging/record.ts";
import { makeRecord } from "#testing/make-record.ts";

/** A text that matches; as a bare pattern, `toMatchObject` would take any text. */
const like = (pattern: RegExp): unknown => expect.stringMatching(pattern);

const apiKey = "lsv2_very_secret_key";
const sessionId = "5e551015-0000-4000-8000-000000000001";

let fake: FakeLangsmith;

beforeAll(async () => {
  fake = await startFakeLangsmith({ apiKeys: [apiKey], sessionIds: [sessionId] });
});

afterEach(() => {
  fake.setBehaviour({});
  fake.requests.length = 0;
  fake.runs.length = 0;
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
  langsmith_api_key: apiKey,
  langsmith_base_url: fake.url,
  ...changes,
});

const deliver = (records: LogRecord[], vars: unknown = makeVars(), context = makeContext()) =>
  langsmith.deliver(records, vars, context);

const steered = (requesterMetadata: JsonObject, recordId = "r1") => makeRecord({ recordId, requesterMetadata });

async function faultOf(delivery: Promise<unknown>): Promise<UpstreamError> {
  const error: unknown = await delivery.catch((reason: unknown) => reason);
  if (!(error instanceof UpstreamError)) throw new Error(`No UpstreamError: ${String(error)}`);
  expect(`${error.message} ${error.body}`).not.toContain(apiKey);
  return error;
}

describe("what LangSmith gets", () => {
  test("one request that LangSmith's own client would send for the same run", async () => {
    const record = makeRecord({ stream: true, completionStartTimeMs: 1_763_688_569_500 });
    const vars = makeVars({ langsmith_project: "Project One", langsmith_tenant_id: "tenant-1" });
    expect(await deliver([record], vars)).toEqual([{ outcome: "delivered", status: 202 }]);
    const [ours] = fake.requests;
    const [run] = fake.runs;
    expect(ours).toMatchObject({ method: "POST", path: "/api/v1/runs/batch" });
    expect(ours?.headers).toMatchObject({ "x-api-key": apiKey, "x-tenant-id": "tenant-1" });
    fake.runs.length = 0;
    const official = new Client({
      apiUrl: `${fake.url}/api/v1`,
      apiKey,
      workspaceId: "tenant-1",
      autoBatchTracing: false,
    });
    if (!run) throw new Error("No run arrived.");
    const { apiKey: _key, ...sent } = run;
    await official.batchIngestRuns({
      runCreates: [{ name: "", run_type: "", inputs: {}, ...sent, trace_id: sent.id }],
    });
    const theirs = fake.requests.findLast(({ path }) => path.endsWith("/runs/batch"));
    expect(theirs).toMatchObject({ method: "POST", path: ours?.path, status: 202 });
    for (const name of ["x-api-key", "x-tenant-id", "content-type", "accept"]) {
      expect(theirs?.headers[name]).toBe(ours?.headers[name]);
    }
    expect(withoutRuntime(theirs?.text)).toEqual(withoutRuntime(ours?.text));
  });

  test("a run holds payload, answer, usage, times and outcome", async () => {
    const record = makeRecord();
    const error = { code: "500", class: "InternalServerError", message: "broken" };
    const failure = makeRecord({ recordId: "r2", status: "failure", response: null, error });
    await deliver([record, failure]);
    const [run, failed] = fake.runs;
    expect(run).toMatchObject({
      name: "LLMRun",
      run_type: "llm",
      session_name: "litellm-completion",
      inputs: toStandardLoggingPayload(record),
      outputs: { ...record.response, usage_metadata: { input_tokens: 10, output_tokens: 20, total_tokens: 30 } },
      start_time: "2025-11-21T01:29:29.123457Z",
      end_time: "2025-11-21T01:29:30.500000Z",
      tags: record.requestTags,
      extra: { metadata: { record_id: record.recordId, user_api_key_team_id: "team-1", ls_provider: "openai" } },
    });
    expect(run?.["dotted_order"]).toBe(`20251121T012929123457Z${String(run?.id)}`);
    expect(run?.["trace_id"]).toBe(run?.id);
    expect(run).not.toHaveProperty("error");
    expect(failed).toMatchObject({ error: "InternalServerError (500): broken", outputs: {} });
  });

  test("the address may have /api/v1 already, in LiteLLM's way", async () => {
    await deliver([makeRecord()], makeVars({ langsmith_base_url: `${fake.url}/api/v1/` }));
    expect(fake.requests[0]?.path).toBe("/api/v1/runs/batch");
  });

  test("a retry is byte for byte the same, and a run that is there already is delivered", async () => {
    fake.setBehaviour({ loseAnswer: true, times: 1 });
    await faultOf(deliver([makeRecord()]));
    expect(await deliver([makeRecord()])).toMatchObject([{ outcome: "delivered", status: 409 }]);
    expect(fake.requests[1]?.text).toBe(fake.requests[0]?.text);
    expect(fake.runs).toHaveLength(1);
  });

  test("of a batch that was stored in part, every record is there once", async () => {
    const records = ["a", "b", "c", "d", "e"].map((recordId) => makeRecord({ recordId }));
    await deliver(records.slice(1, 3));
    const results = await deliver(records);
    expect(results.map(({ outcome }) => outcome)).toEqual(records.map(() => "delivered"));
    const ids = fake.runs.map((run) => JSON.stringify(run["extra"]).replace(/.*"record_id":"(.*?)".*/, "$1"));
    expect(ids.toSorted()).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("run ids are UUIDs of version 7 that differ by record and by callback", () => {
    const idOf = (recordId: string, callbackId: string) =>
      toLangsmithRun(makeRecord({ recordId }), { callbackId, project: "p", telling: "full" }).id;
    const ids = [idOf("a", "x"), idOf("b", "x"), idOf("a", "y")];
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(idOf("a", "x")).toBe(ids[0]);
  });

  test("a record of many MB is shortened with a mark", async () => {
    const content = "x".repeat(12_000_000);
    expect(await deliver([makeRecord({ input: { messages: [{ role: "user", content }] } })])).toMatchObject([
      { outcome: "delivered" },
    ]);
    expect(fake.requests[0]?.text.length).toBeLessThan(8_000_000);
    expect(JSON.stringify(fake.runs[0]?.["inputs"])).toContain("...(truncated) [12000000 characters]");
  });
});

describe("the client's wishes", () => {
  const parent = "11111111-1111-4111-8111-111111111111";
  const own = "22222222-2222-4222-8222-222222222222";
  const parentOrder = `20251121T012900000000Z${parent}`;

  test("name, project, run id and project id are taken over", async () => {
    await deliver([steered({ run_name: "My run", project_name: "Mine", run_id: own, session_id: sessionId })]);
    expect(fake.runs).toMatchObject([
      { name: "My run", session_name: "Mine", id: own, trace_id: own, session_id: sessionId },
    ]);
  });

  test.each([
    ["the parent's", { dotted_order: parentOrder, parent_run_id: parent }],
    ["its own", { dotted_order: `${parentOrder}.20251121T012929123457Z${own}`, run_id: own, parent_run_id: parent }],
    [
      "its own, without saying its id",
      { dotted_order: `${parentOrder}.20251121T012929123457Z${own}`, parent_run_id: parent },
    ],
  ])("a child is placed under its parent by %s dotted order", async (_, metadata) => {
    expect(await deliver([steered({ ...metadata, trace_id: parent })])).toEqual([
      { outcome: "delivered", status: 202 },
    ]);
    expect(fake.runs).toMatchObject([{ trace_id: parent, parent_run_id: parent }]);
    if ("run_id" in metadata) expect(fake.runs[0]?.id).toBe(own);
  });

  test.each<[string, JsonObject]>([
    [
      "ids that are none",
      { run_id: "one", id: 7, trace_id: "x", parent_run_id: {}, dotted_order: [], session_id: "chat" },
    ],
    ["names that are none", { run_name: { a: 1 }, project_name: "" }],
    ["a parent without its dotted order", { parent_run_id: parent, trace_id: parent }],
    ["a dotted order that is none", { dotted_order: `20251121Z${parent}`, parent_run_id: parent }],
    ["a trace id alone", { trace_id: parent }],
  ])("nothing is lost by %s: the run is a root of its own", async (_, metadata) => {
    expect(await deliver([steered(metadata)])).toEqual([{ outcome: "delivered", status: 202 }]);
    expect(fake.runs).toMatchObject([{ name: "LLMRun", session_name: "litellm-completion" }]);
    expect(fake.runs[0]).not.toHaveProperty("parent_run_id");
    expect(fake.runs[0]?.["trace_id"]).toBe(fake.runs[0]?.id);
  });

  test("a wish that LangSmith refuses is dropped, and delays nobody else's record", async () => {
    const unknown = "00000000-0000-4000-8000-00000000dead";
    const results = await deliver([steered({ session_id: unknown }), makeRecord({ recordId: "r2" })]);
    expect(results).toMatchObject([{ outcome: "delivered", message: like(/without/) }, { outcome: "delivered" }]);
    expect(fake.runs).toHaveLength(2);
  });

  test("calls that share one run id are all there, in one batch and in two", async () => {
    const wish = { run_id: own };
    await deliver([steered(wish, "a"), steered(wish, "b")]);
    await deliver([steered(wish, "c")]);
    expect(new Set(fake.runs.map(({ id }) => id)).size).toBe(3);
  });
});

describe("sampling", () => {
  const records = Array.from({ length: 400 }, (_, at) => makeRecord({ recordId: `record-${String(at)}` }));

  test("a share of the records is sent, the same ones each time, and the others say why not", async () => {
    const vars = makeVars({ langsmith_sampling_rate: "0.25" });
    const results = await deliver(records, vars);
    const sent = results.filter(({ status }) => status === 202).length;
    expect(sent).toBeGreaterThan(60);
    expect(sent).toBeLessThan(140);
    expect(fake.runs).toHaveLength(sent);
    expect(results.find(({ status }) => status === 0)).toMatchObject({ message: like(/sampling/) });
    const again = await deliver(records, vars);
    expect(again.map(({ status }) => status === 0)).toEqual(results.map(({ status }) => status === 0));
  });

  test("0 sends nothing, 1 and nonsense send all", async () => {
    await deliver(records.slice(0, 20), makeVars({ langsmith_sampling_rate: 0 }));
    expect(fake.requests).toHaveLength(0);
    await deliver(records.slice(0, 20), makeVars({ langsmith_sampling_rate: 1 }));
    await deliver(records.slice(20, 40), makeVars({ langsmith_sampling_rate: "often" }));
    expect(fake.runs).toHaveLength(40);
    expect(langsmith.vars.safeParse({ langsmith_sampling_rate: "often" }).success).toBe(false);
  });
});

describe("faults", () => {
  test.each([
    [401, "destination"],
    [403, "destination"],
    [404, "destination"],
    [308, "destination"],
    [500, "transient"],
  ] as const)("%i is a fault that is %s, without the key that LangSmith echoes", async (status, fault) => {
    fake.setBehaviour({ status, body: `{"detail":"no, ${apiKey}"}`, headers: { location: fake.url } });
    expect(await faultOf(deliver([makeRecord()]))).toMatchObject({ status, fault });
    expect(fake.requests).toHaveLength(1);
  });

  test("429 is passing and says how long to wait", async () => {
    fake.setBehaviour({ status: 429, headers: { "retry-after": "3" } });
    expect(await faultOf(deliver([makeRecord()]))).toMatchObject({ fault: "transient", retryAfterMs: 3_000 });
  });

  test("an address that a team chose passes the address guard, and without a key records wait", async () => {
    await faultOf(deliver([makeRecord()], makeVars(), makeContext({ reach: "guarded" })));
    expect(fake.requests).toHaveLength(0);
    const error = await faultOf(deliver([makeRecord()], { langsmith_base_url: fake.url }));
    expect(error).toMatchObject({ fault: "destination", message: like(/langsmith_api_key/) });
  });
});

describe("check", () => {
  test("leaves nothing behind, tells a wrong key and a missing workspace", async () => {
    expect(await langsmith.check(makeVars(), makeContext())).toMatchObject({ state: "healthy" });
    const wrong = await langsmith.check(makeVars({ langsmith_api_key: "wrong-secret" }), makeContext());
    expect(wrong).toMatchObject({ state: "unhealthy" });
    expect(JSON.stringify(wrong)).not.toContain("wrong-secret");
    fake.setBehaviour({ status: 403, body: '{"error":"org_scoped_key_requires_workspace"}' });
    expect(await langsmith.check(makeVars(), makeContext())).toMatchObject({ message: like(/langsmith_tenant_id/) });
    fake.setBehaviour({ status: 200, body: '{"ok":true}' });
    expect(await langsmith.check(makeVars(), makeContext())).toMatchObject({
      state: "unhealthy",
      message: like(/no list of projects/),
    });
    expect(fake.runs).toHaveLength(0);
  });
});

/** LangSmith's client describes itself in `extra.runtime` and in its own metadata; everything else must agree. */
function withoutRuntime(text: string | undefined): unknown {
  return JSON.parse(text ?? "{}", (name, value: unknown) =>
    ["runtime", "revision_id", "LANGSMITH_PROJECT"].includes(name) || name.startsWith("LANGSMITH_") ? undefined : value,
  );
}
