import { afterAll, beforeAll, expect, test } from "vitest";
import { GET } from "#app/(rest)/routes/route.ts";
import { loadRoutes } from "#http/dispatch.ts";
import { startApp, type TestApp } from "#testing/app.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

test("lists every mounted route with its methods and who may call each", async () => {
  const mounted = await loadRoutes();
  const answer = await app.call(GET, { path: "/routes" });
  const routes: unknown = expect.arrayContaining([
    { path: "/key/health", methods: ["POST"], auth: { POST: "key" } },
    { path: "/health/liveness", methods: ["GET"], auth: { GET: "none" } },
    { path: "/v1/logs/{id}/deliveries", methods: ["GET"], auth: { GET: "key" } },
  ]);
  expect(answer.body).toMatchObject({ routes });
  expect(answer.body).toHaveProperty("routes.length", mounted.length);
  expect((await app.call(GET, { path: "/routes", key: null })).status).toBe(401);
});
