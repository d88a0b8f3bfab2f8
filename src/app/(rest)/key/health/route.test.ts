import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startFakeLangfuse, type FakeLangfuse } from "../../../../../e2e/fakes/langfuse.ts";
import { sendText, startFakeServer } from "../../../../../e2e/fakes/fake-server.ts";
import { POST } from "#app/(rest)/key/health/route.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";

const project = { id: "p1", name: "Blue", publicKey: "pk-lf-blue", secretKey: "sk-lf-blue-canary" };
let app: TestApp;
let fake: FakeLangfuse;

beforeAll(async () => {
  fake = await startFakeLangfuse({ projects: [project] });
  app = await startApp();
  open();
});
afterEach(() => {
  fake.setBehaviour({});
  delete process.env.LANGFUSE_HEALTH_TEST;
  open();
});
afterAll(async () => {
  await closeUpstreams();
  await app.close();
  await fake.close();
});

/** Lets teams and keys reach the fake. */
function open(more = ""): void {
  app.configure(`general_settings: { private_destination_hosts: ['127.0.0.1:${fake.port}'] ${more} }`);
}

function entry(vars: Record<string, unknown> = {}, name = "langfuse") {
  const own = { langfuse_public_key: project.publicKey, langfuse_secret_key: project.secretKey };
  return { callback_name: name, callback_type: "success", callback_vars: { ...own, langfuse_host: fake.url, ...vars } };
}

async function health(...logging: unknown[]): Promise<TestAnswer> {
  const { key } = await makeKey(app.db, { metadata: { logging } });
  const answer = await app.call(POST, { path: "/key/health", method: "POST", key });
  expect(answer.text).not.toContain("canary");
  return answer;
}

function unhealthy(text: string) {
  const details: unknown = expect.stringContaining(text);
  return {
    key: "unhealthy",
    logging_callbacks: { status: "unhealthy", details, destinations: [{ state: "unhealthy", target: null }] },
  };
}

test("is null for keys without own logging, in a team with logging too, and for the master key", async () => {
  const expected = { key: "healthy", logging_callbacks: null };
  const { team_id } = await makeTeam(app.db, { metadata: { logging: [entry()] } });
  for (const fields of [{}, { metadata: { logging: [] } }, { team_id }]) {
    const { key } = await makeKey(app.db, fields);
    expect((await app.call(POST, { path: "/key/health", method: "POST", key })).body).toEqual(expected);
  }
  expect((await app.call(POST, { path: "/key/health", method: "POST" })).body).toEqual(expected);
  expect((await app.call(POST, { path: "/key/health", method: "POST", key: null })).status).toBe(401);
  expect((await app.call(POST, { path: "/key/health", method: "POST", key: "sk-nobody" })).status).toBe(401);
});

test("says in LiteLLM's words that all is well, and where records land, and leaves nothing there", async () => {
  const answer = await health(entry(), entry({ langfuse_environment: "prod" }));
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({
    key: "healthy",
    logging_callbacks: {
      callbacks: ["langfuse", "langfuse"],
      status: "healthy",
      details:
        "No logger exceptions triggered, system is healthy. Manually check if logs were sent to ['langfuse', 'langfuse']",
      destinations: [
        { callback_name: "langfuse", state: "healthy", target: "Blue (p1)" },
        { callback_name: "langfuse", state: "healthy", target: "Blue (p1)" },
      ],
    },
  });
  expect(fake.project("p1").spans).toEqual([]);
  expect(fake.project("p1").observations).toEqual([]);
});

test("ignores the body, also one that is no JSON", async () => {
  const { key } = await makeKey(app.db);
  expect((await app.call(POST, { path: "/key/health", body: "no json", key })).status).toBe(200);
});

test("shows a refused secret with status and host, and the entry beside it as healthy", async () => {
  const answer = await health(entry({ langfuse_secret_key: "sk-lf-wrong-canary" }), entry());
  const details: unknown = expect.stringMatching(
    /^Logger exceptions triggered, system is unhealthy: .*127\.0\.0\.1.*401/,
  );
  expect(answer.body).toMatchObject({
    key: "unhealthy",
    logging_callbacks: { details, destinations: [{ state: "unhealthy" }, { state: "healthy" }] },
  });
});

test("is not deceived by a web page with status 200", async () => {
  fake.setBehaviour({ status: 200, body: "<html>Sign in</html>" });
  expect((await health(entry())).body).toMatchObject(unhealthy("web page"));
});

test("answers within its deadline where the destination never does", async () => {
  fake.setBehaviour({ hang: true });
  expect((await health(entry())).body).toMatchObject(unhealthy("did not answer within 5 seconds"));
}, 15_000);

test("follows no redirect to this machine", async () => {
  let reached = 0;
  const inside = await startFakeServer((_request, response) => {
    reached += 1;
    sendText(response, { status: 200, body: "{}" });
  });
  fake.setBehaviour({ status: 307, headers: { location: `${inside.url}/api/public/projects` } });
  const answer = await health(entry());
  await inside.close();
  expect(answer.body).toMatchObject(unhealthy("redirects are not followed"));
  expect(answer.text).not.toContain(String(inside.port));
  expect(reached).toBe(0);
});

test("refuses a host that the operator has closed since", async () => {
  const { key } = await makeKey(app.db, { metadata: { logging: [entry()] } });
  app.configure("{}");
  // A connection that is open already was judged when it was made.
  await closeUpstreams();
  const before = fake.requests.length;
  const answer = await app.call(POST, { path: "/key/health", method: "POST", key });
  expect(answer.body).toMatchObject(unhealthy("is refused"));
  expect(fake.requests.length).toBe(before);
});

test("names the variable that a reference needs, and never its value", async () => {
  const reference = entry({ langfuse_secret_key: "os.environ/LANGFUSE_HEALTH_TEST" });
  expect((await health(reference)).body).toMatchObject(unhealthy("LANGFUSE_HEALTH_TEST"));
  process.env.LANGFUSE_HEALTH_TEST = project.secretKey;
  expect((await health(reference)).body).toMatchObject({ key: "healthy" });
  process.env.LANGFUSE_HEALTH_TEST = "canary.invalid";
  const answer = await health(entry({ langfuse_host: "os.environ/LANGFUSE_HEALTH_TEST" }));
  expect(answer.body).toMatchObject(unhealthy("os.environ/LANGFUSE_HEALTH_TEST"));
});

test("does not show where the operator's own destination stands", async () => {
  process.env.LANGFUSE_HOST = "https://internal-canary.invalid";
  try {
    expect((await health(entry({ langfuse_host: "" }))).body).toMatchObject(unhealthy("***"));
  } finally {
    delete process.env.LANGFUSE_HOST;
  }
});

test("tells of stored entries that cannot be used: without a name 500, unknown ones one by one", async () => {
  open(", lenient_callbacks: true");
  const nameless = await health({ callback_vars: {} });
  expect(nameless.status).toBe(500);
  expect(nameless.body).toMatchObject({
    error: { message: "Key health check failed: callback_name is required in key_logging", code: "500" },
  });
  const name = `it's ${randomUUID()}`;
  expect((await health(entry({}, name), entry())).body).toMatchObject({
    key: "unhealthy",
    logging_callbacks: { callbacks: [name, "langfuse"], destinations: [{ state: "unhealthy" }, { state: "healthy" }] },
  });
});
