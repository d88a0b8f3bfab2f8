import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startFakeLangfuse } from "../../../e2e/fakes/langfuse.ts";
import { startRecorder } from "../../../e2e/fakes/recorder.ts";
import { startFakeCollector } from "../../../e2e/fakes/otlp.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import type { DeliveryContext } from "#logging/destinations/destination.ts";
import { gcsBucket } from "#logging/destinations/gcs-bucket.ts";
import { langfuse } from "#logging/destinations/langfuse.ts";
import { langsmith } from "#logging/destinations/langsmith.ts";
import { localFiles } from "#logging/destinations/local-files.ts";
import { otel } from "#logging/destinations/otel.ts";
import { webhook } from "#logging/destinations/webhook.ts";
import { makeRecord } from "#testing/make-record.ts";

// That a preview is what is sent, credentials masked, is part of contract.test.ts. Here: what a variable changes.

const project = { id: "p", name: "Project", publicKey: "pk-lf-canary", secretKey: "sk-lf-canary" };
const record = makeRecord();

function makeContext(): DeliveryContext {
  return { callbackId: "callback-1", reach: "operator", signal: new AbortController().signal };
}

test("with langfuse_wire: ingestion the preview is the batch that is then sent, but for the public key in it", async () => {
  const fake = await startFakeLangfuse({ projects: [project], version: "3.0.0" });
  const recorder = await startRecorder(fake.url);
  const vars = {
    langfuse_public_key: project.publicKey,
    langfuse_secret_key: project.secretKey,
    langfuse_host: recorder.url,
    langfuse_wire: "ingestion",
  };
  const preview = await langfuse.preview(record, vars, makeContext());
  expect(recorder.requests).toEqual([]);
  await langfuse.deliver([record], vars, makeContext());
  const [sent] = recorder.requests;
  expect(preview).toMatchObject({ method: "POST", url: `${recorder.url}/api/public/ingestion` });
  expect(preview.url).toBe(`${recorder.url}${sent?.path ?? ""}`);
  expect(preview.body).toBe(sent?.body.toString("utf8").replace(project.publicKey, "***"));
  expect(JSON.stringify(preview)).not.toContain("canary");
  await closeUpstreams();
  await Promise.all([recorder.close(), fake.close()]);
});

test("where the wire is left to the server the preview says so", async () => {
  const vars = { langfuse_public_key: "pk", langfuse_secret_key: "sk" };
  expect((await langfuse.preview(record, vars, makeContext())).note).toContain("ingestion");
  expect((await langfuse.preview(record, { ...vars, langfuse_wire: "otlp" }, makeContext())).note).toBeUndefined();
});

test("the preview of protobuf has the bytes that are then sent, and the same as JSON to read", async () => {
  const collector = await startFakeCollector({});
  const recorder = await startRecorder(collector.url);
  const vars = { otel_endpoint: recorder.url, otel_protocol: "http/protobuf" };
  const preview = await otel.preview(record, vars, makeContext());
  await otel.deliver([record], vars, makeContext());
  expect(preview.bodyBase64).toBe(recorder.requests[0]?.body.toString("base64"));
  expect(JSON.parse(preview.body)).toHaveProperty("resourceSpans");
  await closeUpstreams();
  await Promise.all([recorder.close(), collector.close()]);
});

test("there is no preview of a destination without credentials, nor of a run that its sampling leaves out", async () => {
  await expect(langfuse.preview(record, {}, makeContext())).rejects.toThrow("credentials are missing");
  await expect(langsmith.preview(record, {}, makeContext())).rejects.toThrow("credentials are missing");
  await expect(webhook.preview(record, {}, makeContext())).rejects.toThrow("has no address");
  await expect(gcsBucket.preview(record, {}, makeContext())).rejects.toThrow("GCS_BUCKET_NAME is not set");
  const none = { langsmith_api_key: "k", langsmith_sampling_rate: 0 };
  await expect(langsmith.preview(record, none, makeContext())).rejects.toThrow("sampling rate");
});

test("the signing secret and the values of a webhook's headers are masked", async () => {
  const vars = {
    webhook_url: "https://hooks.example.com/in",
    webhook_secret: "canary-secret",
    webhook_headers: "authorization=Bearer canary,x-team=canary",
  };
  const preview = await webhook.preview(record, vars, makeContext());
  expect(preview.headers).toMatchObject({ authorization: "***", "x-team": "***" });
  expect(preview.headers["x-sluice-signature"]).toMatch(/^t=.*,v1=\*\*\*$/);
  expect(JSON.stringify(preview)).not.toContain("canary");
});

test("the preview for local files is the lines that a delivery then writes, and writes nothing itself", async () => {
  const folder = await mkdtemp(join(tmpdir(), "preview-"));
  const vars = { local_files_dir: folder };
  const preview = await localFiles.preview(record, vars, makeContext());
  expect(await readdir(folder)).toEqual([]);
  await localFiles.deliver([record], vars, makeContext());
  const [name = ""] = await readdir(folder);
  expect(preview.body).toBe(await readFile(join(folder, name), "utf8"));
  await rm(folder, { recursive: true });
});
