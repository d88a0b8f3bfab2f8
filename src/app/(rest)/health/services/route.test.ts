import { afterAll, beforeAll, expect, test } from "vitest";
import { startFakeLangfuse, type FakeLangfuse } from "../../../../../e2e/fakes/langfuse.ts";
import { GET } from "#app/(rest)/health/services/route.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey } from "#testing/make.ts";

const project = { id: "p1", name: "Operator", publicKey: "pk-lf-op-canary", secretKey: "sk-lf-op-canary" };
let app: TestApp;
let fake: FakeLangfuse;
beforeAll(async () => {
  fake = await startFakeLangfuse({ projects: [project] });
  app = await startApp("litellm_settings: { success_callback: [langfuse] }");
  process.env.LANGFUSE_PUBLIC_KEY = project.publicKey;
  process.env.LANGFUSE_SECRET_KEY = project.secretKey;
  process.env.LANGFUSE_HOST = fake.url;
});
afterAll(async () => {
  for (const name of ["LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY", "LANGFUSE_HOST"])
    Reflect.deleteProperty(process.env, name);
  await closeUpstreams();
  await fake.close();
  await app.close();
});

async function check(query: string, key?: string): Promise<TestAnswer> {
  const answer = await app.call(GET, { path: `/health/services${query}`, ...(key === undefined ? {} : { key }) });
  expect(answer.text).not.toContain("canary");
  return answer;
}

test("runs the check of a global callback, for administrators alone", async () => {
  expect((await check("?service=langfuse")).body).toMatchObject({
    status: "success",
    destination: { callback_id: "config:global:langfuse", state: "healthy", target: "Operator (p1)" },
  });
  const { key } = await makeKey(app.db);
  expect((await check("?service=langfuse", key)).status).toBe(401);
});

test("passes on what the destination says, and refuses what is not configured", async () => {
  fake.setBehaviour({ status: 401, body: { message: `bad key ${project.secretKey}` }, times: 9 });
  const answer = await check("?service=langfuse");
  expect(answer.status).toBe(503);
  expect(answer.text).toContain("401");
  expect((await check("?service=datadog")).status).toBe(400);
  expect((await check("")).status).toBe(422);
});
