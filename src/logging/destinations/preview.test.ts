import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startFakeLangfuse } from "../../../e2e/fakes/langfuse.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import type { DeliveryContext } from "#logging/destinations/destination.ts";
import { langfuse } from "#logging/destinations/langfuse.ts";
import { localFiles } from "#logging/destinations/local-files.ts";
import { makeRecord } from "#testing/make-record.ts";

const project = { id: "p", name: "Project", publicKey: "pk-lf-canary", secretKey: "sk-lf-canary" };
const records = [makeRecord(), makeRecord({ recordId: "01980000-0000-7000-8000-000000000002", stream: true })];

function makeContext(): DeliveryContext {
  return { callbackId: "callback-1", reach: "operator", signal: new AbortController().signal };
}

test("the preview for Langfuse is what a delivery then sends, credentials masked, and sends nothing itself", async () => {
  const fake = await startFakeLangfuse({ projects: [project] });
  const vars = {
    langfuse_public_key: project.publicKey,
    langfuse_secret_key: project.secretKey,
    langfuse_host: fake.url,
  };
  const preview = langfuse.preview?.(records, vars, makeContext());
  expect(fake.requests).toEqual([]);
  await langfuse.deliver(records, vars, makeContext());
  await closeUpstreams();
  await fake.close();
  const [sent] = fake.requests;
  expect(preview).toMatchObject({ method: sent?.method, url: `${fake.url}${sent?.path ?? ""}`, body: sent?.text });
  for (const [name, value] of Object.entries(preview?.headers ?? {})) {
    if (!value.endsWith("***")) expect(sent?.headers[name], name).toBe(value);
  }
  expect(preview?.headers).toMatchObject({ authorization: "Basic ***", "x-langfuse-public-key": "***" });
  expect(JSON.stringify(preview)).not.toContain("canary");
});

test("there is no preview of a Langfuse without credentials, nor of the old batch", () => {
  expect(() => langfuse.preview?.(records, {}, makeContext())).toThrow("credentials are missing");
  const old = { langfuse_public_key: "pk", langfuse_secret_key: "sk", langfuse_wire: "ingestion" };
  expect(() => langfuse.preview?.(records, old, makeContext())).toThrow("no preview");
});

test("the preview for local files is the lines that a delivery then writes, and writes nothing itself", async () => {
  const folder = await mkdtemp(join(tmpdir(), "preview-"));
  const vars = { local_files_dir: folder };
  const preview = localFiles.preview?.(records, vars, makeContext());
  expect(await readdir(folder)).toEqual([]);
  await localFiles.deliver(records, vars, makeContext());
  const [name = ""] = await readdir(folder);
  expect(preview?.body).toBe(await readFile(join(folder, name), "utf8"));
  await rm(folder, { recursive: true });
});
