import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer as createTlsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { sendJson, sendText, startFakeServer, isObject, type FakeServer } from "../fakes/fake-server.ts";
import { startFakeGcs } from "../fakes/gcs.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { admin, langfuseVars, makeKey, makeProject, mustAdmin } from "./admin.ts";
import { request } from "./ask.ts";

test.slow();

type Project = ReturnType<typeof makeProject>;
type State = "healthy" | "unhealthy" | "unverified";

/** One entry of a key: what it is called here, what is given, and what the check must say of it. */
type Sink = { title: string; entry: { callback_name: string; callback_vars: object }; state: State; says: RegExp };

/** A server behind a certificate that nobody has signed. */
async function startUntrustedServer(): Promise<FakeServer> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-tls-"));
  const [keyFile, certificateFile] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const subject = ["-subj", "/CN=langfuse.invalid", "-days", "2"];
  const files = ["-keyout", keyFile, "-out", certificateFile];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...files, ...subject], { stdio: "ignore" });
  const server = createTlsServer(
    { key: await readFile(keyFile), cert: await readFile(certificateFile) },
    (_request, response) => sendJson(response, { status: 200, body: { data: [{ id: "p", name: "Untrusted" }] } }),
  );
  await rm(folder, { recursive: true });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no TCP port.");
  const { port } = address;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port, url: `https://127.0.0.1:${String(port)}`, close };
}

/** The sinks of one key, with everything that listens for them. */
async function startSinks(project: Project): Promise<{ sinks: Sink[]; canaries: string[]; close(): Promise<void> }> {
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const second = await startFakeLangfuse({ projects: [project] });
  const gcs = await startFakeGcs();
  const untrusted = await startUntrustedServer();
  let insideRequests = 0;
  const inside = await startFakeServer((_request, response) => {
    insideRequests += 1;
    sendJson(response, { status: 200, body: { data: [{ id: "inside", name: "Inside" }] } });
  });
  const page = await startFakeServer((_request, response) =>
    sendText(response, { status: 200, body: "<html>Please sign in</html>", headers: { "content-type": "text/html" } }),
  );
  const anything = await startFakeServer((_request, response) =>
    sendJson(response, { status: 200, body: { ok: true } }),
  );
  const hanging = await startFakeServer(() => undefined);
  const redirecting = await startFakeServer((_request, response) =>
    sendText(response, { status: 302, body: "", headers: { location: `${inside.url}/api/public/projects` } }),
  );
  const vars = (url: string, more: object = {}): object => ({ ...langfuseVars(url, project), ...more });
  const at = (url: string, more?: object) => ({ callback_name: "langfuse", callback_vars: vars(url, more) });
  const bucket = (name: string, more: object = {}) => ({
    callback_name: "gcs_bucket",
    callback_vars: { gcs_bucket_name: name, gcs_api_endpoint: gcs.url, ...more },
  });
  const writable = gcs.addTenant("writable-bucket").json;
  const readOnly = gcs.addTenant("read-only-bucket", ["storage.objects.get"]).json;
  const agentPort = { dd_agent_host: "127.0.0.1", dd_agent_port: String(anything.port) };
  const sinks: Sink[] = [
    { title: "accepts", entry: at(langfuse.url), state: "healthy", says: /Langfuse project "Project checked"/ },
    {
      title: "wrong secret",
      entry: at(langfuse.url, { langfuse_secret_key: "sk-lf-canary-wrong" }),
      state: "unhealthy",
      says: /127\.0\.0\.1:\d+ said 401/,
    },
    { title: "no such path", entry: at(`${langfuse.url}/nowhere`), state: "unhealthy", says: /404/ },
    { title: "sign-in page with 200", entry: at(page.url), state: "unhealthy", says: /web page/ },
    {
      title: "207 with errors per item",
      entry: at(second.url, { langfuse_wire: "ingestion" }),
      state: "unhealthy",
      says: /Event type not accepted/,
    },
    { title: "200 to everything", entry: at(anything.url), state: "unhealthy", says: /names no project/ },
    {
      title: "200 to everything, behind OTLP",
      entry: {
        callback_name: "otel",
        callback_vars: { otel_endpoint: anything.url, otel_headers: "x-key=canary-otel" },
      },
      state: "unverified",
      says: /may drop traces/,
    },
    {
      title: "200 to everything, behind a webhook",
      entry: { callback_name: "webhook", callback_vars: { webhook_url: anything.url } },
      state: "unverified",
      says: /may drop records/,
    },
    {
      title: "an agent that accepts and tells nothing",
      entry: { callback_name: "datadog", callback_vars: agentPort },
      state: "unverified",
      says: /does not tell whether it can send/,
    },
    { title: "hangs", entry: at(hanging.url), state: "unhealthy", says: /did not answer within 5 seconds/ },
    {
      title: "hangs too",
      entry: {
        callback_name: "webhook",
        callback_vars: { webhook_url: hanging.url, webhook_secret: "canary-webhook" },
      },
      state: "unhealthy",
      says: /did not answer within 5 seconds/,
    },
    { title: "untrusted certificate", entry: at(untrusted.url), state: "unhealthy", says: /SELF_SIGNED|CERT/ },
    { title: "redirect to this machine", entry: at(redirecting.url), state: "unhealthy", says: /not followed/ },
    { title: "refuses connections", entry: at("http://127.0.0.1:1"), state: "unhealthy", says: /ECONNREFUSED/ },
    {
      title: "bucket, may write",
      entry: bucket("writable-bucket/llm", { gcs_service_account_json: writable }),
      state: "healthy",
      says: /bucket writable-bucket\/llm/,
    },
    {
      title: "bucket, may not write",
      entry: bucket("read-only-bucket", { gcs_service_account_json: readOnly }),
      state: "unhealthy",
      says: /may not write to the bucket read-only-bucket/,
    },
    {
      title: "no such bucket",
      entry: bucket("missing-bucket", { gcs_service_account_json: writable }),
      state: "unhealthy",
      says: /bucket/,
    },
    {
      title: "keys of another project, swapped",
      entry: at(langfuse.url, { langfuse_public_key: project.secretKey, langfuse_secret_key: project.publicKey }),
      state: "unhealthy",
      says: /langfuse_public_key holds a secret key/,
    },
  ];
  const canaries = [project.secretKey, "canary-", "PRIVATE KEY", String(inside.port)];
  const all = [langfuse, second, gcs, untrusted, inside, page, anything, hanging, redirecting];
  return {
    sinks,
    canaries,
    async close() {
      expect(insideRequests, "requests that a redirect sent inside").toBe(0);
      expect(langfuse.project(project.id).spans, "records that a check left").toEqual([]);
      expect(second.project(project.id).observations).toEqual([]);
      for (const name of ["writable-bucket", "read-only-bucket"]) expect(gcs.objects(name)).toEqual([]);
      await Promise.all(all.map((each) => each.close()));
    },
  };
}

async function startChecked(
  startSluice: (options: object) => Promise<SluiceProcess>,
  config: Record<string, unknown>,
  tokenUris: string[] = [],
): Promise<SluiceProcess> {
  return startSluice({
    config: { ...config, general_settings: { google_token_uris: tokenUris } },
    env: { SLUICE_PRIVATE_DESTINATION_HOSTS: "127.0.0.1" },
  });
}

function destinationsOf(body: Record<string, unknown>): Record<string, unknown>[] {
  const logging = isObject(body["logging_callbacks"]) ? body["logging_callbacks"] : {};
  const destinations = logging["destinations"];
  return Array.isArray(destinations) ? destinations.filter(isObject) : [];
}

test("a key's destinations are asked all at once, and only proof makes one healthy", async ({ startSluice, fakes }) => {
  const project = { ...makeProject("checked"), name: "Project checked" };
  const { sinks, canaries, close } = await startSinks(project);
  const tokenUri = /"token_uri":"([^"]+)"/.exec(JSON.stringify(sinks).replaceAll("\\", ""))?.[1] ?? "";
  const sluice = await startChecked(startSluice, fakeModelConfig(fakes), [tokenUri]);
  const key = await makeKey(sluice, { metadata: { logging: sinks.map(({ entry }) => entry) } });
  const startMs = performance.now();
  const answer = await request(sluice, "/key/health", { method: "POST", key });
  const tookMs = performance.now() - startMs;
  expect(answer.status).toBe(200);
  const found = destinationsOf(answer.body);
  expect(found).toHaveLength(sinks.length);
  for (const [index, { title, state, says, entry }] of sinks.entries()) {
    const destination = found[index] ?? {};
    expect(destination, title).toMatchObject({ callback_name: entry.callback_name, state });
    expect(destination["message"], title).toMatch(says);
    expect(destination["latency_ms"], title).toEqual(expect.any(Number));
    if (state === "healthy") expect(destination["target"], title).toEqual(expect.any(String));
  }
  // Two hang for five seconds each; one after the other would take ten.
  expect(tookMs).toBeLessThan(9_500);
  expect(answer.body).toMatchObject({
    key: "unhealthy",
    logging_callbacks: {
      callbacks: sinks.map(({ entry }) => entry.callback_name),
      status: "unhealthy",
      details: expect.stringMatching(/^Logger exceptions triggered, system is unhealthy: /),
    },
  });
  for (const canary of canaries) {
    expect(answer.text, canary).not.toContain(canary);
    expect(sluice.logs(), canary).not.toContain(canary);
  }
  const { info } = await mustAdmin(sluice, `/key/info?key=${key}`);
  expect(info).toMatchObject({ spend: 0 });

  await test.step("each alone is what it is among the others", async () => {
    for (const title of ["accepts", "200 to everything, behind OTLP", "bucket, may not write"]) {
      const sink = sinks.find((each) => each.title === title);
      const alone = await makeKey(sluice, { metadata: { logging: [sink?.entry] } });
      const { body } = await request(sluice, "/key/health", { method: "POST", key: alone });
      const overall = sink?.state === "unhealthy" ? "unhealthy" : "healthy";
      expect(body, title).toMatchObject({ key: overall, logging_callbacks: { status: overall } });
      expect(destinationsOf(body)).toMatchObject([{ state: sink?.state }]);
    }
  });

  await test.step("a callback that is tested before it is saved is saved where it passes, and else leaves nothing", async () => {
    await mustAdmin(sluice, "/team/new", { team_id: "tested" });
    for (const { title, entry, state } of sinks.filter(({ title }) => !title.startsWith("hangs"))) {
      const tested = await admin(sluice, "/team/tested/callback?test=true", { ...entry, allow_multiple: true });
      expect(tested.status === 200, title).toBe(state === "healthy");
      if (state === "unverified")
        expect(tested.body, title).toMatchObject({ error: { message: expect.stringMatching(/proved nothing/) } });
      for (const canary of canaries) expect(JSON.stringify(tested.body), title).not.toContain(canary);
    }
    const { data } = await mustAdmin(sluice, "/team/tested/callback");
    const saved = sinks.filter(({ state }) => state === "healthy").map(({ entry }) => entry.callback_name);
    expect(data).toMatchObject({ success_callbacks: [...new Set(saved)] });
  });
  await close();
});

test("a key without own logging is healthy, and the texts of the documentation come word for word", async ({
  startSluice,
  fakes,
}) => {
  const project = makeProject("words");
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const gcs = await startFakeGcs();
  const sluice = await startSluice({
    config: {
      ...fakeModelConfig(fakes),
      general_settings: { google_token_uris: [gcs.tokenUri], lenient_callbacks: true },
    },
    env: { LANGFUSE_SET: project.secretKey },
  });
  const health = async (logging: object[] | null): Promise<{ status: number; body: Record<string, unknown> }> => {
    const key = await makeKey(sluice, logging === null ? {} : { metadata: { logging } });
    return request(sluice, "/key/health", { method: "POST", key });
  };
  const bucket = {
    callback_name: "gcs_bucket",
    callback_type: "success",
    callback_vars: {
      gcs_bucket_name: "my-gcs-bucket",
      gcs_service_account_json: gcs.addTenant("my-gcs-bucket").json,
      gcs_api_endpoint: gcs.url,
    },
  };
  const good = { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, project) };
  const nothing = { key: "healthy", logging_callbacks: null };
  expect((await health(null)).body).toEqual(nothing);
  expect((await health([])).body).toEqual(nothing);
  const healthy = (callbacks: string[], list: string) => ({
    key: "healthy",
    logging_callbacks: {
      callbacks,
      status: "healthy",
      details: `No logger exceptions triggered, system is healthy. Manually check if logs were sent to ${list}`,
    },
  });
  expect((await health([bucket])).body).toMatchObject(healthy(["gcs_bucket"], "['gcs_bucket']"));
  expect((await health([good, bucket])).body).toMatchObject(
    healthy(["langfuse", "gcs_bucket"], "['langfuse', 'gcs_bucket']"),
  );
  const unhealthy = (details: unknown) => ({ key: "unhealthy", logging_callbacks: { status: "unhealthy", details } });
  const broken = "Logger exceptions triggered, system is unhealthy: ";
  const badAccount = { ...bucket.callback_vars, gcs_service_account_json: '{"type": "service_account"}' };
  const vertex =
    "Failed to load vertex credentials. Check to see if credentials containing partial/invalid information.";
  const bad = await health([{ ...bucket, callback_vars: badAccount }]);
  expect(bad.status).toBe(200);
  expect(bad.body).toMatchObject(unhealthy(expect.stringContaining(`${broken}${vertex}`)));
  const nameless = await health([{ callback_name: "gcs_bucket", callback_vars: {} }]);
  expect(nameless.body).toMatchObject(
    unhealthy(expect.stringContaining("GCS_BUCKET_NAME is not set in the environment")),
  );
  const unset = { ...good.callback_vars, langfuse_secret_key: "os.environ/LANGFUSE_UNSET" };
  expect((await health([{ ...good, callback_vars: unset }])).body).toMatchObject(
    unhealthy(expect.stringContaining("LANGFUSE_UNSET")),
  );
  const set = { ...good.callback_vars, langfuse_secret_key: "os.environ/LANGFUSE_SET" };
  expect((await health([{ ...good, callback_vars: set }])).body).toMatchObject({ key: "healthy" });
  const mixed = await health([{ ...good, callback_vars: unset }, good]);
  expect(destinationsOf(mixed.body)).toMatchObject([{ state: "unhealthy" }, { state: "healthy" }]);
  const withoutName = await health([{ callback_vars: {} }]);
  expect(withoutName.status).toBe(500);
  expect(withoutName.body).toMatchObject({
    error: { message: "Key health check failed: callback_name is required in key_logging", code: "500" },
  });
  for (const key of [null, "sk-nobody-0123456789"]) {
    expect((await request(sluice, "/key/health", { method: "POST", key })).status).toBe(401);
  }
  await Promise.all([langfuse.close(), gcs.close()]);
});
