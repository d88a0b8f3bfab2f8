import { afterAll, beforeAll, expect, test } from "vitest";
import { sendJson, startFakeServer, type FakeServer } from "../../../../../../e2e/fakes/fake-server.ts";
import { POST } from "#app/(rest)/v1/chat/completions/route.ts";
import { forgetLoads, loadOf } from "#gateway/deployment-load.ts";
import { modelsState, makeModelTable } from "#gateway/models.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import { monotonicMs } from "#lib/monotonic.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey } from "#testing/make.ts";

let app: TestApp;
let busy: FakeServer;

beforeAll(async () => {
  app = await startApp();
  busy = await startFakeServer((_request, response) => {
    response.setHeader("retry-after-ms", "315360000000");
    sendJson(response, { status: 429, body: { error: { message: "slow down" } } });
  });
});
afterAll(async () => {
  await app.close();
  await closeUpstreams();
  await busy.close();
});

test("a deployment rests as its `retry-after-ms` asks, an hour at most, on a clock that never jumps", async () => {
  const yaml = `
model_list:
  - { model_name: m, litellm_params: { model: openai/one, api_key: k, api_base: "${busy.url}/v1" } }
  - { model_name: m, litellm_params: { model: openai/two, api_key: k, api_base: "${busy.url}/v1" } }
litellm_settings: { num_retries: 0 }
`;
  modelsState.set(makeModelTable(app.configure(yaml)));
  forgetLoads();
  const { key } = await makeKey(app.db);
  const body = { model: "m", messages: [{ role: "user", content: "hello" }] };
  expect((await app.call(POST, { path: "/v1/chat/completions", key, body })).status).toBe(429);
  const rests = (modelsState.get().get("m") ?? []).map(
    (deployment) => loadOf(deployment, monotonicMs()).coolUntilMs - monotonicMs(),
  );
  expect(Math.max(...rests)).toBeGreaterThan(3_000_000);
  expect(Math.max(...rests)).toBeLessThanOrEqual(3_600_000);
});
