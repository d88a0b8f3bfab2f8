import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startFakeLangfuse } from "../../../e2e/fakes/langfuse.ts";
import type { FakeLangfuse } from "../../../e2e/fakes/langfuse.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import { langfuseOtel } from "#logging/destinations/langfuse-otel.ts";
import { langfuse } from "#logging/destinations/langfuse.ts";
import type { LogRecord } from "#logging/record.ts";
import { testProject } from "#testing/langfuse-project.ts";
import { makeRecord } from "#testing/make-record.ts";

const context = { callbackId: "callback-1", reach: "operator", signal: new AbortController().signal } as const;

let fake: FakeLangfuse;

beforeAll(async () => {
  fake = await startFakeLangfuse({ projects: [testProject], verbatimIds: true });
});

afterEach(() => {
  fake.reset();
});

afterAll(async () => {
  await closeUpstreams();
  await fake.close();
});

function makeVars(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const { publicKey, secretKey } = testProject;
  return { langfuse_public_key: publicKey, langfuse_secret_key: secretKey, langfuse_host: fake.url, ...changes };
}

async function attributesBy(destination: typeof langfuse, record: LogRecord) {
  expect(await destination.deliver([record], makeVars(), context)).toEqual([{ outcome: "delivered", status: 200 }]);
  const [span] = fake.project("project-1").spans;
  fake.reset();
  if (!span) throw new Error("There is no span.");
  expect(span.warnings).toEqual([]);
  return span;
}

test("sends what langfuse sends, with the GenAI attributes beside it and no content twice", async () => {
  const plain = await attributesBy(langfuse, makeRecord());
  const span = await attributesBy(langfuseOtel, makeRecord());
  expect(span.attributes).toMatchObject(plain.attributes);
  const added = Object.fromEntries(Object.entries(span.attributes).filter(([key]) => !(key in plain.attributes)));
  expect(added).toEqual({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-2024-08-06",
    "gen_ai.request.temperature": 0.2,
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 20,
    "server.address": "api.openai.com",
    "server.port": 443,
  });
});

test("steering decides names, ids and parent", async () => {
  const requesterMetadata = {
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    generation_id: "00f067aa0ba902b7",
    generation_name: "my generation",
    parent_observation_id: "b7ad6b7169203331",
    trace_name: "my trace",
    session_id: "my session",
  };
  expect(await attributesBy(langfuseOtel, makeRecord({ requesterMetadata }))).toMatchObject({
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "00f067aa0ba902b7",
    parentSpanId: "b7ad6b7169203331",
    name: "my generation",
    traceName: "my trace",
    sessionId: "my session",
  });
});

test("goes to the cloud in the USA where no host is given, while langfuse goes to the one in Europe", async () => {
  const vars = makeVars({ langfuse_host: undefined });
  const american = await langfuseOtel.preview(makeRecord(), vars, context);
  const european = await langfuse.preview(makeRecord(), vars, context);
  expect(american.url).toBe("https://us.cloud.langfuse.com/api/public/otel/v1/traces");
  expect(european.url).toBe("https://cloud.langfuse.com/api/public/otel/v1/traces");
});

test("never leaves its wire", async () => {
  const old = await startFakeLangfuse({ projects: [testProject], version: "3.0.0" });
  try {
    const delivery = langfuseOtel.deliver([makeRecord()], makeVars({ langfuse_host: old.url }), context);
    await expect(delivery).rejects.toMatchObject({ status: 404, fault: "destination" });
    expect(old.requests.map(({ path }) => path)).toEqual(["/api/public/otel/v1/traces"]);
    const check = await langfuseOtel.check(makeVars({ langfuse_host: old.url }), context);
    expect(check.state).toBe("unhealthy");
  } finally {
    await old.close();
  }
});

test("default tags are built from what the call has, and a client cannot forge the gateway's own", async () => {
  const names = ["user_api_key_team_alias", "user_api_key_org_id", "cache_hit", "proxy_base_url", "topic", "absent"];
  const record = makeRecord({
    cacheHit: true,
    requesterMetadata: { topic: "cats", user_api_key_org_id: "forged", trace_tags: ["own"] },
  });
  const vars = makeVars({ langfuse_default_tags: names, langfuse_proxy_base_url: "https://gateway.example" });
  await langfuse.deliver([record], vars, context);
  expect(fake.project("project-1").spans[0]?.tags).toEqual([
    ...["tag-1", "User-Agent: curl", "own", "user_api_key_team_alias:Team One", "cache_hit:true"],
    ...["proxy_base_url:https://gateway.example", "topic:cats"],
  ]);
  fake.reset();
  await langfuse.deliver([makeRecord({ requesterMetadata: { existing_trace_id: "t" } })], vars, context);
  expect(fake.project("project-1").spans[0]?.tags).toEqual([]);
});
