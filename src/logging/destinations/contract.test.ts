import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { startFakeDatadog } from "../../../e2e/fakes/datadog.ts";
import { startFakeGcs, type FakeGcs } from "../../../e2e/fakes/gcs.ts";
import { startFakeLangfuse } from "../../../e2e/fakes/langfuse.ts";
import type { FakeLangfuse } from "../../../e2e/fakes/langfuse.ts";
import { startFakeLangsmith } from "../../../e2e/fakes/langsmith.ts";
import { startFakeCollector } from "../../../e2e/fakes/otlp.ts";
import { startRecorder } from "../../../e2e/fakes/recorder.ts";
import type { FakeCollector } from "../../../e2e/fakes/otlp.ts";
import type { SinkServer } from "../../../e2e/fakes/sink-server.ts";
import { startFakeWebhook } from "../../../e2e/fakes/webhook.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import type { DeliveryContext } from "#logging/destinations/destination.ts";
import { destinations, findDestination, knownCallbackNames } from "#logging/destinations/index.ts";
import { noUsage } from "#logging/record.ts";
import { makeRecord } from "#testing/make-record.ts";

const entries = Object.entries(destinations);
const project = { id: "p", name: "Project", publicKey: "pk-lf-contract", secretKey: "sk-lf-contract-secret" };

let fake: FakeLangfuse;
let folder: string;
let gcsFake: FakeGcs;
let gcsAccount: string;
let collectorFake: FakeCollector;
let datadogFake: SinkServer;
let langsmithFake: SinkServer;
let webhookFake: SinkServer;

beforeAll(async () => {
  collectorFake = await startFakeCollector({ headers: { "x-key": project.secretKey } });
  datadogFake = await startFakeDatadog({ apiKeys: [project.secretKey] });
  langsmithFake = await startFakeLangsmith({ apiKeys: [project.secretKey] });
  webhookFake = await startFakeWebhook({ secret: project.secretKey });
  fake = await startFakeLangfuse({ projects: [project] });
  folder = await mkdtemp(join(tmpdir(), "destinations-"));
  gcsFake = await startFakeGcs();
  gcsAccount = gcsFake.addTenant("contract-logs").json;
});

afterAll(async () => {
  await closeUpstreams();
  await fake.close();
  await gcsFake.close();
  await collectorFake.close();
  await Promise.all([datadogFake, langsmithFake, webhookFake].map((each) => each.close()));
  await rm(folder, { recursive: true, force: true });
});

/** Variables with which each destination works in this test. A new destination adds a line. */
function workingVars(name: string): Record<string, unknown> {
  const all: Record<string, Record<string, unknown>> = {
    langfuse: {
      langfuse_public_key: project.publicKey,
      langfuse_secret_key: project.secretKey,
      langfuse_host: fake.url,
    },
    langfuse_otel: {
      langfuse_public_key: project.publicKey,
      langfuse_secret_key: project.secretKey,
      langfuse_host: fake.url,
    },
    local_files: { local_files_dir: folder },
    gcs_bucket: {
      gcs_bucket_name: "contract-logs",
      gcs_service_account_json: gcsAccount,
      gcs_api_endpoint: gcsFake.url,
    },
    otel: { otel_endpoint: collectorFake.url, otel_headers: `x-key=${project.secretKey}` },
    datadog: { dd_api_key: project.secretKey, dd_base_url: datadogFake.url },
    langsmith: { langsmith_api_key: project.secretKey, langsmith_base_url: langsmithFake.url },
    webhook: { webhook_url: `${webhookFake.url}/logs`, webhook_secret: project.secretKey },
  };
  const vars = all[name];
  if (!vars) throw new Error(`The contract test has no variables for "${name}".`);
  return vars;
}

function makeContext(): DeliveryContext {
  return { callbackId: "callback-1", reach: "operator", signal: new AbortController().signal };
}

/** A field is whatever its schema says of itself: title, description, secret. */
function fieldsOf(vars: z.ZodObject) {
  return Object.entries(vars.shape).map(([field, schema]) => ({ field, meta: z.globalRegistry.get(schema) }));
}

describe.each(entries)("%s", (name, destination) => {
  test("has a label, and a title for every variable", () => {
    expect(destination.label).toMatch(/\S/);
    for (const { field, meta } of fieldsOf(destination.vars)) {
      expect(meta?.title, `${name}.${field}`).toMatch(/\S/);
    }
  });

  test("marks every variable that sounds like a credential as secret", () => {
    for (const { field, meta } of fieldsOf(destination.vars)) {
      const isCredential = /(_key|_secret|_token|_headers|password|service_account_json)$/i.test(field);
      expect(meta?.["secret"] === true, `${name}.${field}`).toBe(isCredential);
    }
  });

  test("a form can be drawn from its variables", () => {
    const schema = z.toJSONSchema(destination.vars, { io: "input" });
    expect(Object.keys(schema.properties ?? {})).toEqual(Object.keys(destination.vars.shape));
  });

  test("names only its own variables in pairs, targets and environment", () => {
    const known = Object.keys(destination.vars.shape);
    const named = [
      ...(destination.credentialPairs ?? []).flat(),
      ...(destination.targetVars ?? []),
      ...Object.values(destination.env ?? {}),
    ];
    for (const field of named) expect(known).toContain(field);
    for (const variable of Object.keys(destination.env ?? {})) expect(variable).toMatch(/^[A-Z][A-Z0-9_]+$/);
  });

  test("has limits that one request can keep", () => {
    const { batchRecordsMax, batchBytesMax } = destination.limits;
    expect(batchRecordsMax).toBeGreaterThanOrEqual(1);
    expect(batchRecordsMax).toBeLessThanOrEqual(5000);
    expect(batchBytesMax).toBeGreaterThanOrEqual(64 * 1024);
    expect(batchBytesMax).toBeLessThanOrEqual(16 * 1024 * 1024);
  });

  test("delivers nothing for no records", async () => {
    expect(await destination.deliver([], workingVars(name), makeContext())).toEqual([]);
  });

  test("gives one result per record, whatever kind of call it was", async () => {
    const error = { code: "500", class: "InternalServerError", message: "broken" };
    const records = [
      makeRecord({ recordId: "r1" }),
      makeRecord({ recordId: "r2", status: "failure", response: null, usage: noUsage, error }),
      makeRecord({ recordId: "r3", stream: true, clientDisconnected: true }),
      makeRecord({ recordId: "r4", callType: "aembedding", input: { messages: "text" }, response: { data: [] } }),
      makeRecord({ recordId: "r5", response: { text: "redacted-by-litellm" }, input: { messages: null } }),
    ];
    const results = await destination.deliver(records, workingVars(name), makeContext());
    expect(results.map(({ outcome }) => outcome)).toEqual(records.map(() => "delivered"));
  });

  test("delivers although a stored variable is none of its own", async () => {
    const vars = { ...workingVars(name), turn_off_message_logging: true, from_an_older_version: "x" };
    const results = await destination.deliver([makeRecord()], vars, makeContext());
    expect(results).toMatchObject([{ outcome: "delivered" }]);
  });

  test("stops at once where the signal is aborted already", async () => {
    const context = { ...makeContext(), signal: AbortSignal.abort(new Error("stopped")) };
    await expect(destination.deliver([makeRecord()], workingVars(name), context)).rejects.toThrow("stopped");
  });

  test("its preview is byte for byte what a delivery then sends, sends nothing itself and shows no secret", async () => {
    const record = makeRecord({ recordId: `preview-of-${name}` });
    const vars = workingVars(name);
    const [field, address] = Object.entries(vars).find(([, value]) => String(value).startsWith("http://")) ?? [];
    if (field === undefined) {
      // Nothing on a network: what is written is read again.
      const preview = await destination.preview(record, vars, makeContext());
      await destination.deliver([record], vars, makeContext());
      const files = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), "utf8")));
      expect(files.join("")).toContain(preview.body);
      return;
    }
    const { origin } = new URL(String(address));
    const recorder = await startRecorder(origin);
    const recorded = { ...vars, [field]: String(address).replace(origin, recorder.url) };
    const preview = await destination.preview(record, recorded, makeContext());
    expect(recorder.requests).toEqual([]);
    expect(await destination.deliver([record], recorded, makeContext())).toMatchObject([{ outcome: "delivered" }]);
    const [sent] = recorder.requests;
    expect(preview).toMatchObject({ method: sent?.method, url: `${recorder.url}${sent?.path ?? ""}` });
    expect(preview.body).toBe(sent?.body.toString("utf8"));
    for (const [header, value] of Object.entries(preview.headers)) {
      if (!value.endsWith("***")) expect(sent?.headers[header], header).toBe(value);
      else expect(sent?.headers, header).toHaveProperty([header]);
    }
    expect(JSON.stringify(preview)).not.toContain(project.secretKey);
    expect(JSON.stringify(preview)).not.toContain("PRIVATE KEY");
    expect(preview.headers).not.toHaveProperty("host");
    await closeUpstreams();
    await recorder.close();
  });

  test("its check finds the target healthy, and no secret is in what it says", async () => {
    const result = await destination.check(workingVars(name), makeContext());
    expect(result.state).toBe("healthy");
    expect(result.target).toMatch(/\S/);
    expect(JSON.stringify(result)).not.toContain(project.secretKey);
  });
});

test("destinations are found by their names and unknown ones are not", () => {
  for (const [name, destination] of entries) expect(findDestination(name)).toBe(destination);
  for (const name of ["", "Langfuse", "__proto__", "constructor", "toString"]) expect(findDestination(name)).toBeNull();
  expect(knownCallbackNames).toEqual([
    "datadog",
    "gcs_bucket",
    "generic_api",
    "langfuse",
    "langfuse_otel",
    "langsmith",
    "local_files",
    "otel",
    "webhook",
  ]);
});
