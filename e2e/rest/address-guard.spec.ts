import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { destinations } from "#logging/destinations/index.ts";
import { isObject, parseJson } from "../fakes/fake-server.ts";
import { startFakeGcs } from "../fakes/gcs.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { startSinkServer } from "../fakes/sink-server.ts";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { admin, langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

/** Counts who connects, and answers nothing. */
async function startListener(address: string, port = 0): Promise<{ port: number; count(): number; close(): void }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, resolve);
  });
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("The listener has no TCP port.");
  return { port: bound.port, count: () => connections, close: () => server.close() };
}

/** Names ending in .test, and the environment with which a server asks this table for their addresses. */
async function makeHosts(hosts: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), "hosts-"));
  const file = join(folder, "hosts.json");
  const set = (changed: Record<string, string>): Promise<void> => writeFile(file, JSON.stringify(changed));
  await set(hosts);
  const preload = pathToFileURL(join(import.meta.dirname, "../fakes/hosts-resolver.ts")).href;
  const env = { E2E_HOSTS_FILE: file, NODE_OPTIONS: `--import=${preload}` };
  return { env, set, remove: () => rm(folder, { recursive: true }) };
}

async function ask(sluice: SluiceProcess, key: string, content: string): Promise<string> {
  const response = await fetch(`${sluice.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "fake-model", messages: [{ role: "user", content }] }),
  });
  await response.text();
  expect(response.status).toBe(200);
  return /id=([0-9a-f-]+)/.exec(response.headers.get("x-sluice-log") ?? "")?.[1] ?? "";
}

/** What the deliveries of a record say, as text. */
async function deliveriesOf(sluice: SluiceProcess, recordId: string): Promise<string> {
  return JSON.stringify((await admin(sluice, `/v1/logs/${recordId}/deliveries`)).body);
}

function toFields(json: string): Record<string, unknown> {
  const value = parseJson(json);
  return isObject(value) ? value : {};
}

const forbidden = [
  "http://127.0.0.1",
  "https://127.0.0.1",
  "https://localhost",
  "localhost",
  "https://0.0.0.0",
  "https://0",
  "0",
  "https://[::1]",
  "https://[::]",
  "https://[::ffff:127.0.0.1]",
  "https://2130706433",
  "https://0x7f.1",
  "https://0177.0.0.1",
  "https://169.254.169.254",
  "169.254.169.254",
  "https://metadata.google.internal",
  "metadata.google.internal",
  "https://[fd00:ec2::254]",
  "https://100.100.100.200",
  "https://10.0.0.1",
  "https://172.16.0.1",
  "https://192.168.0.1",
  "https://100.64.0.1",
  "https://[64:ff9b::7f00:1]",
  "https://[2002:7f00:1::]",
  "https://localhost.",
  "https://user:pass@example.com",
  "https://example.com\\@127.0.0.1",
  "https://exa\tmple.com",
  "https://example.com\n.internal",
  "https://１２７.0.0.1",
  "https://127。0。0。1",
  "https://inside.test",
  "inside.test",
  "http://example.com",
  "https://example.com:22",
  "https://example.com:5432",
  "file:///etc/passwd",
  "gopher://127.0.0.1",
  "unix:/var/run/docker.sock",
  "//127.0.0.1",
];

/** The variables that lead somewhere, of every destination that a team can set. */
const addressVars = Object.entries(destinations).flatMap(([name, { operatorOnly, targetVars = [] }]) =>
  operatorOnly ? [] : targetVars.filter((target) => !/_(name|port)$/.test(target)).map((target) => ({ name, target })),
);

test("no address of a private network is saved, tested or dialled, in any variable and by any way to write it", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(180_000);
  const hosts = await makeHosts({ "inside.test": "127.0.0.1", "http-intake.logs.inside.test": "127.0.0.1" });
  const env = { ...hosts.env, SLUICE_PRIVATE_DESTINATION_HOSTS: "" };
  const sluice = await startSluice({ config: fakeModelConfig(fakes), env });
  await mustAdmin(sluice, "/team/new", { team_id: "guarded" });
  const key = await makeKey(sluice, { team_id: "guarded" });
  const accepted: string[] = [];
  for (const { name, target } of addressVars) {
    for (const address of forbidden) {
      const entry = { callback_name: name, callback_vars: { [target]: address } };
      const metadata = { logging: [entry] };
      const answers = await Promise.all([
        admin(sluice, "/team/guarded/callback", entry),
        admin(sluice, "/team/guarded/callback?test=true", entry),
        admin(sluice, "/team/update", { team_id: "guarded", metadata }),
        admin(sluice, "/team/new", { metadata }),
        admin(sluice, "/key/generate", { metadata }),
        admin(sluice, "/key/update", { key, metadata }),
      ]);
      for (const [index, { status }] of answers.entries()) {
        if (status !== 400 && status !== 422)
          accepted.push(`${target}=${address} (${String(index)}: ${String(status)})`);
      }
    }
  }
  expect(addressVars.length).toBeGreaterThan(7);
  expect(accepted).toEqual([]);
  expect(JSON.stringify(await mustAdmin(sluice, "/team/guarded/callback"))).not.toMatch(/https?:/);
  expect(await ask(sluice, key, "nothing is set")).toBe("");
  await hosts.remove();
});

test("a name that leads elsewhere after it was saved is not dialled there, and its records wait until it is back", async ({
  startSluice,
  fakes,
}) => {
  const project = makeProject("rebound");
  const good = await startFakeLangfuse({ projects: [project] });
  // The same port of another address, which nobody opened.
  const bad = await startListener("127.0.0.2", good.port);
  const hosts = await makeHosts({ "langfuse.test": "127.0.0.1" });
  const sluice = await startSluice({
    config: { ...fakeModelConfig(fakes), general_settings: { delivery: { retry_max_seconds: 1 } } },
    env: { ...hosts.env, SLUICE_PRIVATE_DESTINATION_HOSTS: `127.0.0.1:${String(good.port)}` },
  });
  const vars = langfuseVars(`http://langfuse.test:${String(good.port)}`, project);
  const logging = [{ callback_name: "langfuse", callback_vars: vars }];
  const key = await makeKey(sluice, { metadata: { logging } });
  await ask(sluice, key, "before");
  await until("the first call arrived", () => good.project("rebound").spans.length === 1);
  await hosts.set({ "langfuse.test": "127.0.0.2" });
  // What is connected stays where it was judged, so the connections go.
  await sluice.restart();
  const recordId = await ask(sluice, key, "after");
  await until("the refusal is told", async () => (await deliveriesOf(sluice, recordId)).includes("is refused"));
  const told = await deliveriesOf(sluice, recordId);
  const health = await fetch(`${sluice.url}/key/health`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
  });
  expect(await health.text()).toContain("unhealthy");
  const saved = await admin(sluice, "/key/generate", { metadata: { logging } });
  expect(saved.status).toBe(400);
  expect(bad.count()).toBe(0);
  expect(good.project("rebound").spans).toHaveLength(1);
  expect(told + JSON.stringify(saved.body)).not.toContain("127.0.0.2");
  await hosts.set({ "langfuse.test": "127.0.0.1" });
  await until("the second call arrived", () => good.project("rebound").spans.length === 2, 40_000);
  expect(bad.count()).toBe(0);
  bad.close();
  await good.close();
  await hosts.remove();
});

test("no destination follows a redirect, not even to an address that is open", async ({ startSluice, fakes }) => {
  test.setTimeout(120_000);
  const elsewhere = await startListener("127.0.0.1");
  const location = `http://127.0.0.1:${String(elsewhere.port)}/stolen`;
  const gcs = await startFakeGcs();
  const sink = await startSinkServer(() => ({ status: 500, body: {} }), 0);
  const redirecting = { ...gcs.addTenant("team-logs"), tokenUri: `${sink.url}/token` };
  const account = { ...toFields(redirecting.json), token_uri: redirecting.tokenUri };
  const pair = { langfuse_public_key: "pk-lf-x", langfuse_secret_key: "sk-lf-x", langfuse_host: sink.url };
  const bucket = { gcs_bucket_name: "team-logs", gcs_api_endpoint: sink.url };
  const callbacks: { callback_name: string; callback_vars: Record<string, string> }[] = [
    { callback_name: "langfuse", callback_vars: pair },
    { callback_name: "langfuse", callback_vars: { ...pair, langfuse_wire: "ingestion" } },
    { callback_name: "langfuse_otel", callback_vars: pair },
    { callback_name: "gcs_bucket", callback_vars: { ...bucket, gcs_service_account_json: redirecting.json } },
    { callback_name: "gcs_bucket", callback_vars: { ...bucket, gcs_service_account_json: JSON.stringify(account) } },
    { callback_name: "datadog", callback_vars: { dd_api_key: "secret-x", dd_base_url: sink.url } },
    { callback_name: "langsmith", callback_vars: { langsmith_api_key: "secret-x", langsmith_base_url: sink.url } },
    { callback_name: "otel", callback_vars: { otel_endpoint: sink.url, otel_headers: "x-key=secret-x" } },
    { callback_name: "webhook", callback_vars: { webhook_url: sink.url, webhook_secret: "secret-x" } },
  ];
  const settable = Object.entries(destinations).flatMap(([name, { operatorOnly }]) => (operatorOnly ? [] : [name]));
  expect([...new Set(callbacks.map(({ callback_name }) => callback_name))].toSorted()).toEqual(settable.toSorted());
  const general_settings = { google_token_uris: [gcs.tokenUri, redirecting.tokenUri] };
  const sluice = await startSluice({ config: { ...fakeModelConfig(fakes), general_settings } });
  for (const status of [301, 302, 303, 307, 308]) {
    sink.setBehaviour({ status, headers: { location }, body: "moved" });
    const key = await makeKey(sluice, { metadata: { logging: callbacks } });
    const recordId = await ask(sluice, key, `redirected by ${String(status)}`);
    await until(
      "every destination was tried",
      async () => (await deliveriesOf(sluice, recordId)).split('"retrying"').length > callbacks.length,
    );
    const health = await fetch(`${sluice.url}/key/health`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}` },
    });
    const text = await health.text();
    expect(text, String(status)).toContain("unhealthy");
    expect(text, String(status)).toContain("redirect");
  }
  await mustAdmin(sluice, "/team/new", { team_id: "redirected" });
  for (const callback of callbacks) {
    const saved = await admin(sluice, "/team/redirected/callback?test=true", callback);
    expect(saved.status, callback.callback_name).toBe(400);
  }
  expect(sink.requests.length).toBeGreaterThan(callbacks.length * 5);
  expect(elsewhere.count()).toBe(0);
  elsewhere.close();
  await Promise.all([sink.close(), gcs.close()]);
});

test("a service account that runs programs, names files or asks elsewhere for tokens is refused by every way to write it", async ({
  startSluice,
  fakes,
}) => {
  const gcs = await startFakeGcs();
  const elsewhere = await startListener("127.0.0.1");
  const sluice = await startSluice({ config: fakeModelConfig(fakes) });
  await mustAdmin(sluice, "/team/new", { team_id: "accounts" });
  const key = await makeKey(sluice, { team_id: "accounts" });
  const good = toFields(gcs.addTenant("team-logs").json);
  const google = "https://oauth2.googleapis.com/token";
  const token_uri = `http://127.0.0.1:${String(elsewhere.port)}/token`;
  const source = { file: "/etc/passwd", url: token_uri, executable: { command: "/bin/canary" } };
  const accounts: unknown[] = [
    { ...good, token_uri },
    { ...good, token_uri: `${google}@127.0.0.1` },
    { ...good, token_uri: "https://oauth2.googleapis.com.example.com/token" },
    { ...good, token_uri: "file:///etc/passwd" },
    { ...good, type: "external_account", credential_source: source },
    { ...good, type: "external_account", token_url: token_uri, credential_source: { url: token_uri } },
    { ...good, type: "external_account_authorized_user", token_url: token_uri },
    { ...good, type: "impersonated_service_account", service_account_impersonation_url: token_uri },
    { ...good, type: "authorized_user", refresh_token: "x", client_id: "x", client_secret: "x" },
    { ...good, type: "gdch_service_account", token_uri },
    { type: "service_account", client_email: "a@example.com", token_uri: google },
    "/etc/passwd",
    [],
  ];
  for (const account of accounts) {
    const gcs_service_account_json = typeof account === "string" ? account : JSON.stringify(account);
    const callback_vars = { gcs_bucket_name: "team-logs", gcs_service_account_json };
    const entry = { callback_name: "gcs_bucket", callback_vars };
    const metadata = { logging: [entry] };
    const answers = await Promise.all([
      admin(sluice, "/team/accounts/callback", entry),
      admin(sluice, "/team/accounts/callback?test=true", entry),
      admin(sluice, "/team/update", { team_id: "accounts", metadata }),
      admin(sluice, "/team/new", { metadata }),
      admin(sluice, "/key/generate", { metadata }),
      admin(sluice, "/key/update", { key, metadata }),
    ]);
    expect(
      answers.map(({ status }) => status),
      gcs_service_account_json.slice(0, 60),
    ).toEqual(answers.map(() => 400));
    expect(JSON.stringify(answers)).not.toMatch(/canary|PRIVATE KEY|root:/);
  }
  expect(elsewhere.count()).toBe(0);
  expect(gcs.requests).toEqual([]);
  elsewhere.close();
  await gcs.close();
});
