import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { sendJson, startFakeServer, type FakeServer } from "../../../../e2e/fakes/fake-server.ts";
import { GET } from "#app/(rest)/health/route.ts";
import { GET as details } from "#app/(rest)/health/readiness/details/route.ts";
import { makeModelTable, modelsState } from "#gateway/models.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey } from "#testing/make.ts";

let app: TestApp;
let upstream: FakeServer;
let calls = 0;
beforeAll(async () => {
  app = await startApp();
  upstream = await startFakeServer((request, response) => {
    calls += 1;
    const said = { error: { message: `Incorrect API key: ${String(request.headers.authorization)}` } };
    sendJson(response, { status: 401, body: said });
  });
});
beforeEach(() => {
  const yaml = `
model_list:
  - { model_name: good, litellm_params: { model: openai/gpt-4o, mock_response: hello, api_key: sk-canary-1 } }
  - { model_name: bad, litellm_params: { model: openai/gpt-4o, api_key: sk-canary-2, api_base: "${upstream.url}/v1?key=canary-3" } }
  - { model_name: lost, litellm_params: { model: command-r-plus, api_key: sk-canary-4 } }
litellm_settings: { success_callback: [local_files], failure_callback: [langfuse] }
`;
  modelsState.set(makeModelTable(app.configure(yaml)));
});
afterAll(async () => {
  await closeUpstreams();
  await upstream.close();
  await app.close();
});

test("lists the deployments that the key may use, without calling them and without any key of a provider", async () => {
  const { key } = await makeKey(app.db, { models: ["good"] });
  const own = await app.call(GET, { path: "/health", key });
  expect(own.body).toMatchObject({
    healthy_endpoints: [{ model: "good", state: "unverified" }],
    unhealthy_endpoints: [],
    healthy_count: 1,
    unhealthy_count: 0,
  });
  const all = await app.call(GET, { path: "/health" });
  expect(all.body).toMatchObject({ healthy_count: 2, healthy_endpoints: [{}, { api_base: `${upstream.url}/v1` }] });
  expect(own.text).not.toContain("api_base");
  for (const { text } of [own, all]) expect(text).not.toContain("canary");
  expect(calls).toBe(0);
  expect((await app.call(GET, { path: "/health", key: null })).status).toBe(401);
});

test("calls each deployment where an administrator asks for it, and logs none of it", async () => {
  const answer = await app.call(GET, { path: "/health?check=true" });
  const error: unknown = expect.stringContaining("Incorrect API key");
  expect(answer.body).toMatchObject({
    healthy_endpoints: [{ model: "good", state: "healthy" }],
    unhealthy_endpoints: [{ model: "bad", state: "unhealthy", error }],
    healthy_count: 1,
    unhealthy_count: 1,
  });
  expect(answer.text).not.toContain("canary");
  expect(calls).toBe(1);
  expect(await app.delivery.counts()).toEqual([]);
  const { key } = await makeKey(app.db);
  expect((await app.call(GET, { path: "/health?check=true", key })).status).toBe(403);
  expect(calls).toBe(1);
});

test("tells the details of readiness to holders of a key alone", async () => {
  const { key } = await makeKey(app.db);
  expect((await app.call(details, { path: "/health/readiness/details", key })).body).toMatchObject({
    status: "healthy",
    db: "connected",
    success_callbacks: ["local_files"],
    failure_callbacks: ["langfuse"],
    unusable_models: [{ model_name: "lost" }],
  });
  const { key: limited } = await makeKey(app.db, { models: ["good"] });
  const own = await app.call(details, { path: "/health/readiness/details", key: limited });
  expect(own.body).toMatchObject({ unusable_models: [] });
  expect((await app.call(details, { path: "/health/readiness/details", key: null })).status).toBe(401);
});
