import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { startFakeGcs, type FakeGcs } from "../../../e2e/fakes/gcs.ts";
import { UpstreamError } from "#lib/errors.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import type { DeliveryContext } from "#logging/destinations/destination.ts";
import { gcsBucket } from "#logging/destinations/gcs-bucket.ts";
import { toStandardLoggingPayload } from "#logging/destinations/standard-logging-payload.ts";
import type { LogRecord } from "#logging/record.ts";
import { makeRecord } from "#testing/make-record.ts";

let fake: FakeGcs;
let vars: Record<string, string>;
let folder: string;

const failedToLoad =
  "Failed to load vertex credentials. Check to see if credentials containing partial/invalid information.";
const day = "2025-11-21";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gcs-"));
});

beforeEach(async () => {
  fake = await startFakeGcs();
  vars = {
    gcs_bucket_name: "team-logs/llm/prod",
    gcs_service_account_json: fake.addTenant("team-logs").json,
    gcs_api_endpoint: fake.url,
  };
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await closeUpstreams();
  await fake.close();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function makeContext(changes: Partial<DeliveryContext> = {}): DeliveryContext {
  return { callbackId: "callback-1", reach: "operator", signal: new AbortController().signal, ...changes };
}

/** Records of the same call but for what tells them apart. */
function makeRecords(count: number, changes: Partial<LogRecord> = {}): LogRecord[] {
  return Array.from({ length: count }, (_, index) =>
    makeRecord({ recordId: `record-${String(index)}`, responseId: `chatcmpl-${String(index)}`, ...changes }),
  );
}

async function deliver(records: readonly LogRecord[], changes: Partial<DeliveryContext> = {}, more: object = {}) {
  return gcsBucket.deliver(records, { ...vars, ...more }, makeContext(changes));
}

/** The error that a delivery throws. */
async function failureOf(delivery: Promise<unknown>): Promise<UpstreamError> {
  const error: unknown = await delivery.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UpstreamError)) throw new Error(`It threw ${String(error)}.`);
  return error;
}

const names = (bucket = "team-logs"): string[] =>
  fake
    .objects(bucket)
    .map(({ name }) => name)
    .toSorted();
const uploads = () => fake.requests.filter(({ path }) => path.startsWith("/upload/"));
const tokenRequests = () => fake.requests.filter(({ path }) => path === "/token");

describe("an object for each call", () => {
  test("holds its StandardLoggingPayload, below the folders and the day of the call, and says whose it is", async () => {
    const record = makeRecord();
    expect(await deliver([record])).toEqual([{ outcome: "delivered", status: 200 }]);
    const [object] = fake.objects("team-logs");
    expect(object?.name).toMatch(new RegExp(`^llm/prod/${day}/chatcmpl-1_${record.recordId}-[0-9a-f]{8}\\.json$`));
    expect(JSON.parse(object?.content.toString() ?? "")).toEqual(toStandardLoggingPayload(record));
    expect(object?.contentType).toBe("application/json");
    expect(object?.metadata).toEqual({ team_id: "team-1", schema: "slp-1", record_id: record.recordId });
  });

  test("is named failure where the call failed, and by gcs_log_id where the request gives one", async () => {
    const error = { code: "500", class: "InternalServerError", message: "broken" };
    await deliver([
      makeRecord({ recordId: "r1", status: "failure", response: null, responseId: null, error }),
      makeRecord({ recordId: "r2", requesterMetadata: { gcs_log_id: "../my id" } }),
      makeRecord({ recordId: "r3", responseId: "a/../b\n\u{1f600}" }),
      makeRecord({ recordId: "r4", responseId: "x".repeat(5000) }),
    ]);
    const last = names().map((name) => name.replace(/-[0-9a-f]{8}\.json$/, ""));
    const expected = ["custom-.._my_id_r2", "failure_r1", "a_.._b____r3", `${"x".repeat(128)}_r4`];
    expect(last).toEqual(expected.map((name) => `llm/prod/${day}/${name}`).toSorted());
  });

  test("two calls whose upstream gave the same id do not meet, nor do two callbacks with one bucket", async () => {
    await deliver([makeRecord({ recordId: "r1" }), makeRecord({ recordId: "r2" })]);
    await deliver([makeRecord({ recordId: "r1" })], { callbackId: "callback-2" });
    expect(names()).toHaveLength(3);
  });

  test("is stored once although its first answer was lost", async () => {
    fake.setBehaviour({ only: /^POST \/upload/, times: 1, loseAnswer: true });
    await expect(deliver([makeRecord()])).rejects.toThrow(/connection/);
    expect(await deliver([makeRecord()])).toEqual([
      { outcome: "delivered", status: 412, message: "Stored by an earlier try" },
    ]);
    expect(names()).toHaveLength(1);
  });

  test("counts as dead where a foreign object has its name, which stays as it is", async () => {
    await deliver([makeRecord()]);
    const [name = ""] = names();
    fake.put("team-logs", { name, metadata: { record_id: "another" }, content: Buffer.from("theirs") });
    const [result] = await deliver([makeRecord()]);
    expect(result).toMatchObject({ outcome: "dead", status: 412 });
    expect(result?.message).toContain("is not this record");
    expect(fake.objects("team-logs")[0]?.content.toString()).toBe("theirs");
  });

  test("counts as dead where an object has its name and nobody may read whose it is", async () => {
    const account = fake.addTenant("write-only", ["storage.objects.create"]);
    const more = { gcs_bucket_name: "write-only", gcs_service_account_json: account.json };
    expect(await deliver([makeRecord()], {}, more)).toMatchObject([{ outcome: "delivered" }]);
    const [result] = await deliver([makeRecord()], {}, more);
    expect(result).toMatchObject({ outcome: "dead", status: 412 });
    expect(result?.message).toContain("storage.objects.get");
  });
});

describe("an object for each batch", () => {
  const layout = { gcs_layout: "batch" };

  test("holds a line for each call of one day and one team", async () => {
    const other = { ...makeRecord().caller, teamId: "team-2" };
    const records = [
      ...makeRecords(3),
      makeRecord({ recordId: "tomorrow", startTimeMs: makeRecord().startTimeMs + 86_400_000 }),
      makeRecord({ recordId: "theirs", caller: other }),
    ];
    const results = await deliver(records, {}, layout);
    expect(results.map(({ outcome }) => outcome)).toEqual(records.map(() => "delivered"));
    const byCount = fake
      .objects("team-logs")
      .toSorted((left, right) => right.content.length - left.content.length)
      .map(({ content, ...object }) => ({ ...object, lines: content.toString().split("\n") }));
    expect(byCount.map(({ lines }) => lines.length)).toEqual([3, 1, 1]);
    expect(byCount[0]?.lines).toEqual(makeRecords(3).map((record) => JSON.stringify(toStandardLoggingPayload(record))));
    expect(byCount[0]?.name).toMatch(new RegExp(`^llm/prod/${day}/batch-[0-9a-f]{32}\\.ndjson$`));
    expect(byCount[0]?.contentType).toBe("application/x-ndjson");
    expect(byCount[0]?.metadata).toMatchObject({ team_id: "team-1", schema: "slp-1", records: "3" });
    expect(names().filter((name) => name.includes("2025-11-22"))).toHaveLength(1);
  });

  test("has the same name at every try of the same records, in whatever order they come", async () => {
    await deliver(makeRecords(3), {}, layout);
    const again = await deliver(makeRecords(3).toReversed(), {}, layout);
    expect(again.map(({ status }) => status)).toEqual([412, 412, 412]);
    expect(names()).toHaveLength(1);
  });
});

describe("what Google refuses", () => {
  test("waits with Google's words where the account may not write, and nothing more is tried", async () => {
    const other = fake.addTenant("other-logs");
    const error = await failureOf(deliver(makeRecords(40), {}, { gcs_service_account_json: other.json }));
    expect(error).toMatchObject({ status: 403, fault: "destination" });
    expect(error.message).toContain("does not have storage.objects.create access");
    expect(uploads().length).toBeLessThanOrEqual(16);
  });

  test("waits where a token that was just given is refused", async () => {
    fake.setBehaviour({ only: /^POST \/upload/, status: 401 });
    expect(await failureOf(deliver([makeRecord()]))).toMatchObject({ status: 401, fault: "destination" });
    expect(tokenRequests()).toHaveLength(2);
  });

  test("waits where there is no such bucket", async () => {
    const error = await failureOf(deliver([makeRecord()], {}, { gcs_bucket_name: "no-such-bucket" }));
    expect(error).toMatchObject({ status: 404, fault: "destination" });
    expect(error.message).toContain("The specified bucket does not exist.");
  });

  test("waits where the key is not the account's any more", async () => {
    const { privateKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    const file: unknown = JSON.parse(vars["gcs_service_account_json"] ?? "");
    const json = JSON.stringify(Object.assign({}, file, { private_key: privateKey }));
    const error = await failureOf(deliver([makeRecord()], {}, { gcs_service_account_json: json }));
    expect(error).toMatchObject({ status: 400, fault: "destination" });
    expect(error.message).toContain("Invalid JWT Signature.");
  });

  test("is dead where the object itself is refused, and its neighbours are stored", async () => {
    fake.setBehaviour({ only: /^POST \/upload/, times: 1, status: 400 });
    const results = await deliver(makeRecords(5));
    expect(results.filter(({ outcome }) => outcome === "dead")).toHaveLength(1);
    expect(results.filter(({ outcome }) => outcome === "delivered")).toHaveLength(4);
    expect(names()).toHaveLength(4);
  });

  test("is tried again where it passes, and its neighbours are stored", async () => {
    fake.setBehaviour({ only: /^POST \/upload/, times: 1, status: 503 });
    const results = await deliver(makeRecords(5));
    const [failed] = results.filter(({ outcome }) => outcome !== "delivered");
    expect(failed).toMatchObject({ outcome: "retry", status: 503 });
    expect(names()).toHaveLength(4);
    expect((await deliver(makeRecords(5))).map(({ outcome }) => outcome)).toEqual(Array(5).fill("delivered"));
    expect(names()).toHaveLength(5);
  });

  test("waits as long as Google asks, and a bucket in trouble is left alone", async () => {
    fake.setBehaviour({ only: /^POST \/upload/, status: 429, headers: { "retry-after": "7" } });
    const error = await failureOf(deliver(makeRecords(100)));
    expect(error).toMatchObject({ status: 429, fault: "transient", retryAfterMs: 7000 });
    expect(uploads().length).toBeLessThanOrEqual(16);
    fake.setBehaviour({ only: /^POST \/upload/, status: 403, body: rateLimited });
    expect(await failureOf(deliver([makeRecord()]))).toMatchObject({ status: 403, fault: "transient" });
    fake.setBehaviour({ only: /^POST \/upload/, down: true });
    expect(await failureOf(deliver([makeRecord()]))).toMatchObject({ status: 0, fault: "transient" });
  });

  const rateLimited = { error: { code: 403, message: "Slow down", errors: [{ reason: "rateLimitExceeded" }] } };

  test("is no success where a web page or a redirect is answered", async () => {
    fake.setBehaviour({ only: /^POST \/upload/, status: 200, body: "<html>Sign in</html>" });
    expect(await failureOf(deliver([makeRecord()]))).toMatchObject({ status: 200, fault: "destination" });
    fake.setBehaviour({ only: /^POST \/upload/, status: 307, headers: { location: "http://127.0.0.1:9/" } });
    expect(await failureOf(deliver([makeRecord()]))).toMatchObject({ status: 307, fault: "destination" });
  });
});

describe("the end of a batch", () => {
  test("what was stored before the signal stays delivered, the rest waits", async () => {
    const controller = new AbortController();
    fake.setBehaviour({ only: /^POST \/upload/, latencyMs: 20 });
    const delivery = deliver(makeRecords(100), { signal: controller.signal });
    while (fake.objects("team-logs").length < 20) await sleep(1);
    fake.setBehaviour({ only: /^POST \/upload/, hang: true });
    let before = -1;
    while (before !== uploads().length) {
      before = uploads().length;
      await sleep(50);
    }
    controller.abort(new Error("stopped"));
    const results = await delivery;
    const outcomes = (outcome: string) => results.filter((result) => result.outcome === outcome).length;
    expect(outcomes("delivered")).toBe(fake.objects("team-logs").length);
    expect(outcomes("delivered") + outcomes("retry")).toBe(100);
    expect(outcomes("retry")).toBeGreaterThan(0);
  });

  test("throws the signal's reason where nothing was stored", async () => {
    fake.setBehaviour({ only: /^POST \/upload/, hang: true });
    const signal = AbortSignal.timeout(100);
    await expect(deliver(makeRecords(3), { signal })).rejects.toMatchObject({ name: "TimeoutError" });
  });
});

describe("tokens", () => {
  test("are kept for the account, and no other account gets them", async () => {
    await deliver(makeRecords(20));
    await deliver([makeRecord()]);
    expect(tokenRequests()).toHaveLength(1);
    const other = fake.addTenant("other-logs");
    await deliver([makeRecord()], {}, { gcs_bucket_name: "other-logs", gcs_service_account_json: other.json });
    expect(tokenRequests()).toHaveLength(2);
    expect(new Set(uploads().map(({ email }) => email)).size).toBe(2);
  });

  test("are asked for again where Google does not take the kept one any more", async () => {
    await deliver([makeRecord({ recordId: "r1" })]);
    fake.revokeTokens();
    expect(await deliver([makeRecord({ recordId: "r2" })])).toMatchObject([{ outcome: "delivered" }]);
    expect(tokenRequests()).toHaveLength(2);
  });

  test("are those of the machine where the operator gives no account, and never for a target of a team", async () => {
    vi.stubEnv("GCE_METADATA_HOST", new URL(fake.url).host);
    vi.stubEnv("METADATA_SERVER_DETECTION", "assume-present");
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", "");
    vi.stubEnv("HOME", folder);
    const { findAccessToken } = await import("#logging/destinations/gcs-bucket-token.ts");
    expect(await findAccessToken({ kind: "default" }, makeContext())).toMatch(/^ya29\./);
    expect(fake.requests.map(({ path }) => path.split("?")[0])).toContain(
      "/computeMetadata/v1/instance/service-accounts/default/token",
    );
    const before = fake.requests.length;
    const error = await failureOf(
      gcsBucket.deliver([makeRecord()], { gcs_bucket_name: "team-logs" }, makeContext({ reach: "guarded" })),
    );
    expect(error).toMatchObject({ message: failedToLoad, fault: "destination" });
    expect(fake.requests).toHaveLength(before);
  });
});

describe("the check", () => {
  test("names bucket and folders where the account may write, and writes nothing", async () => {
    expect(await gcsBucket.check(vars, makeContext())).toEqual({
      state: "healthy",
      message: "Records land in the bucket team-logs/llm/prod",
      target: "team-logs/llm/prod",
    });
    expect(names()).toEqual([]);
  });

  test.each([
    ["no bucket", { gcs_bucket_name: "" }, /^GCS_BUCKET_NAME is not set in the environment, but GCS Bucket is/],
    ["a file that is not there", { gcs_service_account_json: "", gcs_path_service_account: "/no/such" }, failedToLoad],
    ["a file that is no key", { gcs_service_account_json: "", gcs_path_service_account: "/etc/passwd" }, failedToLoad],
    ["no JSON", { gcs_service_account_json: "secret-canary" }, failedToLoad],
    ["another kind", { gcs_service_account_json: '{"type":"external_account"}' }, failedToLoad],
    ["no bucket's name", { gcs_bucket_name: "Not A Bucket" }, /gcs_bucket_name is not a bucket's name/],
    ["a bucket that is not there", { gcs_bucket_name: "no-such-bucket" }, /said 404: The specified bucket does not/],
  ])("is unhealthy for %s", async (_title, change, message) => {
    const result = await gcsBucket.check({ ...vars, ...change }, makeContext());
    expect(result).toMatchObject({ state: "unhealthy", target: null });
    if (typeof message === "string") expect(result.message).toBe(message);
    else expect(result.message).toMatch(message);
  });

  test("is unhealthy where the account may only read, and says what is missing where it may only write", async () => {
    const ask = async (bucket: string, permission: string) => {
      const { json } = fake.addTenant(bucket, [permission]);
      const more = { gcs_bucket_name: bucket, gcs_service_account_json: json };
      return gcsBucket.check({ ...vars, ...more }, makeContext());
    };
    const reader = await ask("read-only", "storage.objects.get");
    expect(reader).toMatchObject({ state: "unhealthy" });
    expect(reader.message).toContain("it lacks storage.objects.create");
    const writer = await ask("write-only", "storage.objects.create");
    expect(writer).toMatchObject({ state: "healthy", target: "write-only" });
    expect(writer.message).toContain("storage.objects.get");
  });

  test("the address guard stands before an endpoint that a team chose", async () => {
    const result = await gcsBucket.check(vars, makeContext({ reach: "guarded" }));
    expect(result.state).toBe("unhealthy");
    expect(result.message).toMatch(/is refused/);
    expect(fake.requests).toEqual([]);
  });
});
