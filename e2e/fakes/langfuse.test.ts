import { expect, test } from "vitest";
import { basic, batch, blue, confirmHost, exportOf, goodSpan, red, send, start, traces } from "./langfuse-harness.ts";

test.each([
  ["no header", {}, 401, "No authorization header"],
  ["another scheme", { authorization: "Digest x" }, 401, "Invalid authorization header"],
  ["an unknown secret", { authorization: basic("pk-lf-red", "sk-wrong") }, 401, confirmHost],
  ["an unknown bearer", { authorization: "Bearer pk-lf-none" }, 401, confirmHost],
  [
    "a public key alone",
    { authorization: "Bearer pk-lf-red" },
    403,
    "Access denied - insufficient permissions for this endpoint",
  ],
  [
    "an organization's key",
    { authorization: basic("pk-lf-org", "sk-lf-org") },
    403,
    "Access denied - insufficient permissions for this endpoint",
  ],
])("OTLP with %s is refused", async (...[, headers, status, message]) => {
  const fake = await start();
  const response = await fetch(fake.url + traces, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(exportOf(goodSpan)),
  });
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({ message });
  expect(fake.project("red").spans).toEqual([]);
});

test("a wrong public key with a valid secret lands in the secret's project and is remembered", async () => {
  const fake = await start();
  const headers = { authorization: basic(red.publicKey, blue.secretKey) };
  expect((await send(fake, traces, { body: exportOf(goodSpan), headers })).status).toBe(200);
  expect(fake.project("blue").spans).toHaveLength(1);
  expect(fake.project("red").requests).toBe(0);
  expect(fake.requests[0]).toMatchObject({ projectId: "blue", publicKeyMismatch: true });
});

test("the password ends at a second colon", async () => {
  const headers = { authorization: basic(red.publicKey, `${red.secretKey}:more`) };
  expect((await send(await start(), traces, { body: exportOf(goodSpan), headers })).status).toBe(200);
});

test("other methods are a 405, other paths a 404, and OTLP is a 404 before 3.22", async () => {
  const fake = await start();
  expect((await send(fake, traces, { method: "GET" })).status).toBe(405);
  expect((await send(fake, batch, { method: "PUT" })).status).toBe(405);
  expect((await send(fake, "/api/public/health")).status).toBe(405);
  expect((await send(fake, "/api/public/otel/v1/metrics", { body: {} })).status).toBe(404);
  const old = await start({ version: "3.21.9" });
  expect((await send(old, traces, { body: exportOf(goodSpan) })).status).toBe(404);
});

test("a body over the limit is a 413 and not stored", async () => {
  const fake = await start({ bodyBytesMax: 500 });
  expect((await send(fake, traces, { body: exportOf(goodSpan) })).status).toBe(413);
  expect(fake.project("red").spans).toEqual([]);
});

test("health needs no key and tells the version; projects needs a project's key", async () => {
  const fake = await start({ version: "3.160.0" });
  expect(await (await fetch(`${fake.url}/api/public/health`)).json()).toEqual({ status: "OK", version: "3.160.0" });
  const projects = await send(fake, "/api/public/projects", { method: "GET" });
  expect(projects.body.data).toMatchObject([{ id: "red", name: "Red team", metadata: {} }]);
  const wrong = { method: "GET", headers: { authorization: basic("a", "b") } };
  expect(await send(fake, "/api/public/projects", wrong)).toMatchObject({
    status: 401,
    body: { message: confirmHost },
  });
  const organization = { method: "GET", headers: { authorization: basic("pk-lf-org", "sk-lf-org") } };
  expect(await send(fake, "/api/public/projects", organization)).toMatchObject({
    status: 403,
    body: { message: "Invalid API key. Are you using an organization key?" },
  });
});

test("behaviours: a status with headers, for one project, for so many requests, then normal again", async () => {
  const fake = await start();
  const body = exportOf(goodSpan);
  fake.setBehaviour({
    status: 429,
    headers: { "retry-after": "3" },
    body: { message: "slow down" },
    projectId: "red",
    times: 1,
  });
  const blueHeaders = { authorization: basic(blue.publicKey, blue.secretKey) };
  expect((await send(fake, traces, { body, headers: blueHeaders })).status).toBe(200);
  const limited = await send(fake, traces, { body });
  expect(limited).toMatchObject({ status: 429, body: { message: "slow down" } });
  expect(limited.headers.get("retry-after")).toBe("3");
  expect(fake.project("red").spans).toEqual([]);
  expect((await send(fake, traces, { body })).status).toBe(200);
});

test("behaviours: down and a lost answer break the connection; only the latter stores", async () => {
  const fake = await start();
  fake.setBehaviour({ down: true });
  await expect(send(fake, traces, { body: exportOf(goodSpan) })).rejects.toThrow();
  expect(fake.project("red").spans).toEqual([]);
  fake.setBehaviour({ loseAnswer: true });
  await expect(send(fake, traces, { body: exportOf(goodSpan) })).rejects.toThrow();
  expect(fake.project("red").spans).toHaveLength(1);
});

test("behaviours: hang gives no answer, latency gives it later", async () => {
  const fake = await start();
  fake.setBehaviour({ hang: true });
  const abort = new AbortController();
  const hanging = fetch(`${fake.url}/api/public/health`, { signal: abort.signal });
  await expect.poll(() => fake.requests.length).toBe(1);
  abort.abort();
  await expect(hanging).rejects.toThrow();
  expect(fake.requests[0]?.status).toBe(0);
  fake.setBehaviour({ latencyMs: 5 });
  expect((await send(fake, traces, { body: exportOf(goodSpan) })).status).toBe(200);
});

test("the control routes count, list, add, misbehave and reset for another process", async () => {
  const fake = await start();
  await send(fake, traces, { body: exportOf(goodSpan) });
  await send(fake, traces, { body: exportOf(goodSpan, { ...goodSpan, spanId: "5ef215193c8e48c5" }) });
  const get = async (path: string) => (await send(fake, `/__fake/${path}`, { method: "GET" })).body;
  expect(await get("stats")).toMatchObject({
    projects: { red: { distinct: 2, received: 3, duplicates: 1, requests: 2, mismatches: 0 }, blue: { distinct: 0 } },
  });
  expect(await get("calls?project=red")).toEqual({ calls: { "call-1": 3 } });
  expect((await get("spans?project=red")).spans).toHaveLength(2);
  await send(fake, "/__fake/projects", { body: { ...blue, id: "green", secretKey: "sk-lf-green" } });
  expect(fake.project("green").spans).toEqual([]);
  await send(fake, "/__fake/behaviour", { body: { status: 503 } });
  expect((await send(fake, traces, { body: exportOf(goodSpan) })).status).toBe(503);
  await send(fake, "/__fake/reset", { body: {} });
  expect(fake.project("red").spans).toEqual([]);
  expect(fake.requests).toEqual([]);
});
