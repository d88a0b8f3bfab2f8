import { afterAll, beforeAll, expect, test } from "vitest";
import { GET as active } from "#app/(rest)/active/callbacks/route.ts";
import { GET } from "#app/(rest)/callbacks/list/route.ts";
import { GET as echo } from "#app/(rest)/test/route.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp("litellm_settings: { callbacks: [langfuse], success_callback: [local_files, prometheus] }");
});
afterAll(() => app.close());

test("lists the global callbacks that are active, under both paths", async () => {
  const { key } = await makeKey(app.db);
  expect((await app.call(GET, { path: "/callbacks/list", key })).body).toEqual({
    success: ["local_files"],
    failure: [],
    success_and_failure: ["langfuse"],
  });
  expect((await app.call(active, { path: "/active/callbacks", key })).body).toMatchObject({
    "litellm.callbacks": ["langfuse"],
    "litellm.success_callback": ["local_files"],
    num_callbacks: 2,
  });
  expect((await app.call(GET, { path: "/callbacks/list", key: null })).status).toBe(401);
});

test("echoes the route of the test path", async () => {
  expect((await app.call(echo, { path: "/test" })).body).toEqual({ route: "/test" });
  expect((await app.call(echo, { path: "/test", key: null })).status).toBe(401);
});
