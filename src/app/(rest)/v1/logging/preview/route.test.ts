import { generateKeyPairSync, randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { POST } from "#app/(rest)/v1/logging/preview/route.ts";
import { makeModelTable, modelsState } from "#gateway/models.ts";
import { findDestination, knownCallbackNames } from "#logging/destinations/index.ts";
import { operatorVarsState } from "#logging/resolve-callback.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey } from "#testing/make.ts";

const path = "/v1/logging/preview";
const models = "model_list: [{ model_name: gpt, litellm_params: { model: openai/gpt-4o, mock_response: hello } }]";
const vars = {
  langfuse_public_key: "pk-lf-canary",
  langfuse_secret_key: "sk-lf-canary",
  langfuse_host: "https://127.0.0.1:1",
};
const langfuse = { callback_name: "langfuse", callback_type: "success_and_failure", callback_vars: vars };
const general = "general_settings: { private_destination_hosts: ['127.0.0.1:1'] }";
const prompt = "a prompt that nobody else may read";
const request = { model: "gpt", messages: [{ role: "user", content: prompt }] };
let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
beforeEach(() => {
  modelsState.set(makeModelTable(app.configure(`${models}\n${general}`)));
});
afterAll(() => app.close());

async function preview(logging: unknown[] | null, body: Record<string, unknown>): Promise<TestAnswer> {
  const { key } = await makeKey(app.db, logging === null ? {} : { metadata: { logging } });
  const answer = await app.call(POST, { path, body, key });
  expect(answer.text).not.toContain("canary");
  return answer;
}

const Shown = z.object({
  callbacks: z.array(
    z.looseObject({
      callback_name: z.string(),
      fires: z.boolean(),
      request: z.object({ method: z.string(), url: z.string(), headers: z.json(), body: z.string() }).nullable(),
    }),
  ),
});

test("shows the record and the very request of each callback, credentials masked", async () => {
  const answer = await preview([langfuse], { request, headers: { langfuse_session_id: "session-9" } });
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({
    status: "success",
    decided_by: "key",
    reason: null,
    callbacks: [
      {
        callback_name: "langfuse",
        fires: true,
        redaction: "off",
        redaction_decided_by: "global",
        record: {
          modelGroup: "gpt",
          input: { messages: request.messages },
          requesterMetadata: { session_id: "session-9" },
        },
        request: {
          method: "POST",
          url: "https://127.0.0.1:1/api/public/otel/v1/traces",
          headers: { authorization: "Basic ***" },
        },
        reason: null,
      },
    ],
  });
  const sent = Shown.parse(answer.body).callbacks[0]?.request?.body ?? "";
  expect(JSON.parse(sent)).toHaveProperty("resourceSpans");
  expect(sent).toContain(prompt);
});

test("shows what redaction leaves, per callback and by whom it was decided", async () => {
  const quiet = { ...langfuse, callback_vars: { ...vars, turn_off_message_logging: true } };
  const redacted = await preview([quiet], { request });
  expect(redacted.body).toMatchObject({ callbacks: [{ redaction: "content", redaction_decided_by: "callback" }] });
  expect(redacted.text).toContain("redacted-by-litellm");
  expect(redacted.text).not.toContain(prompt);
  const asked = { request, headers: { "x-litellm-enable-message-redaction": "true" } };
  const byRequest = await preview([langfuse], asked);
  expect(byRequest.body).toMatchObject({ callbacks: [{ redaction: "content", redaction_decided_by: "request" }] });
  expect(byRequest.text).not.toContain(prompt);
});

test("shows a simulated answer and a simulated failure, and which callback fires on it", async () => {
  const answered = await preview([langfuse], { request, response: { id: "x", choices: [], note: "simulated" } });
  expect(answered.text).toContain("simulated");
  const onSuccess = { ...langfuse, callback_type: "success" };
  const failed = await preview([langfuse, onSuccess], { request, error: { code: "500", message: "it broke" } });
  expect(failed.body).toMatchObject({
    status: "failure",
    callbacks: [
      { fires: true, record: { error: { message: "it broke", class: "APIError" } } },
      { fires: false, record: null, request: null },
    ],
  });
});

test("shows where a client's own Langfuse pair leads, and neither half of it", async () => {
  const answer = await preview(null, { request: { ...request, ...vars } });
  expect(answer.body).toMatchObject({
    decided_by: "request_credentials",
    reason: null,
    callbacks: [
      {
        callback_name: "langfuse",
        redaction: "off",
        redaction_decided_by: "global",
        request: { url: "https://127.0.0.1:1/api/public/otel/v1/traces" },
      },
    ],
  });
  const keyed = await preview([langfuse], { request: { ...request, ...vars, langfuse_public_key: "pk-lf-other" } });
  expect(keyed.body).toMatchObject({ decided_by: "key" });
});

test("tells why nothing leaves", async () => {
  expect((await preview(null, { request })).body).toMatchObject({ decided_by: "global", callbacks: [] });
  expect((await preview([], { request })).text).toContain("opted out");
  expect((await preview([langfuse], { request: { ...request, "no-log": true } })).text).toContain("not to be logged");
  const unset = { ...langfuse, callback_vars: { ...vars, langfuse_secret_key: "os.environ/LANGFUSE_NOT_SET" } };
  const waiting = await preview([unset], { request });
  expect(waiting.body).toMatchObject({ callbacks: [{ request: null }] });
  expect(waiting.text).toContain("LANGFUSE_NOT_SET");
});

test("shows the line of local files, but not to a virtual key where they lie", async () => {
  operatorVarsState.set({ local_files: { local_files_dir: "/data/canary-folder" } });
  app.configure(`${models}\n${general}\nlitellm_settings: { success_callback: [local_files] }`);
  const answer = await preview(null, { request });
  const line = Shown.parse(answer.body).callbacks[0]?.request;
  expect(line?.method).toBe("APPEND");
  expect(JSON.parse(line?.body ?? "")).toHaveProperty("messages", request.messages);
});

test("shows the request of every kind of destination that a team can set, and its secrets of none", async () => {
  const account = { type: "service_account", client_email: "logs@example.com", private_key: makePrivateKey() };
  const allVars: Record<string, Record<string, string>> = {
    langfuse: vars,
    langfuse_otel: vars,
    gcs_bucket: { gcs_bucket_name: "team-logs/llm", gcs_service_account_json: JSON.stringify(account) },
    datadog: { dd_api_key: "canary-key", dd_site: "datadoghq.eu" },
    langsmith: { langsmith_api_key: "canary-key" },
    otel: { otel_endpoint: "https://127.0.0.1:1", otel_headers: "x-key=canary", otel_protocol: "http/protobuf" },
    webhook: { webhook_url: "https://127.0.0.1:1/logs", webhook_secret: "canary-secret" },
    generic_api: { GENERIC_LOGGER_ENDPOINT: "https://127.0.0.1:1/logs", GENERIC_LOGGER_HEADERS: "x-key=canary" },
  };
  const names = knownCallbackNames.filter((name) => !findDestination(name)?.operatorOnly);
  expect(Object.keys(allVars).toSorted()).toEqual(names);
  const logging = names.map((name) => ({ callback_name: name, callback_vars: allVars[name] }));
  const answer = await preview(logging, { request });
  const { callbacks } = Shown.parse(answer.body);
  expect(callbacks.map(({ callback_name }) => callback_name)).toEqual(names);
  for (const { callback_name: name, request: sent } of callbacks) {
    expect(sent?.url, name).toMatch(/^https:\/\//);
    expect(sent?.body, name).toContain(prompt);
  }
  expect(answer.text).not.toContain("PRIVATE KEY");
});

function makePrivateKey(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

test("stores and queues nothing", async () => {
  const marker = randomUUID();
  await preview([langfuse], { request: { ...request, messages: [{ role: "user", content: marker }] } });
  expect(await app.delivery.counts()).toEqual([]);
  expect(JSON.stringify(await app.db.auditEntry.findMany())).not.toContain(marker);
});

test("refuses what no call could be", async () => {
  expect((await preview([langfuse], { request: { model: "gpt" } })).status).toBe(422);
  expect((await preview([langfuse], { request, headers: { "a b": "c" } })).status).toBe(422);
  expect((await preview([langfuse], { request: { ...request, model: "nobody" } })).status).toBe(400);
  expect((await app.call(POST, { path, body: { request }, key: null })).status).toBe(401);
});
