import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startFakeLangfuse, type FakeLangfuse } from "../fakes/langfuse.ts";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

type Project = ReturnType<typeof makeProject>;
type Asked = { content: string; headers?: Record<string, string>; stream?: boolean; body?: object };

const client = makeProject("client");
const operators = makeProject("operators");
const teams = makeProject("teams");

/** Sends a call and reads its answer; gives the receipt. */
async function ask(sluice: SluiceProcess, key: string, { content, headers = {}, stream = false, body }: Asked) {
  const response = await fetch(`${sluice.url}/v1/chat/completions`, {
    method: "POST",
    headers: { ...headers, authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "fake-model", messages: [{ role: "user", content }], stream, ...body }),
  });
  await response.text();
  expect(response.status, content).toBe(200);
  return response.headers.get("x-sluice-log") ?? "";
}

/** The pair in headers, as LiteLLM's clients send Langfuse's fields. */
function asHeaders({ publicKey, secretKey }: Project, host: string): Record<string, string> {
  return { langfuse_public_key: publicKey, langfuse_secret_key: secretKey, langfuse_host: host };
}

/** Starts a server whose operator logs everything to his own project. */
function withOperator(langfuse: FakeLangfuse, general: object = {}) {
  return (config: Record<string, unknown>) => ({
    config: { ...config, litellm_settings: { callbacks: ["langfuse"] }, general_settings: general },
    env: {
      LANGFUSE_HOST: langfuse.url,
      LANGFUSE_PUBLIC_KEY: operators.publicKey,
      LANGFUSE_SECRET_KEY: operators.secretKey,
    },
  });
}

/** What each project received, by the marks in its prompts. */
function marksIn(langfuse: FakeLangfuse, projectId: string): string[] {
  const spans = langfuse.project(projectId).spans;
  return spans.map((span) => /mark-[a-z0-9-]+/.exec(JSON.stringify(span.input))?.[0] ?? "no mark").toSorted();
}

test("a client's own Langfuse pair gets its calls, and the operator's project does not, wherever the pair stands", async ({
  startSluice,
  fakes,
}) => {
  const langfuse = await startFakeLangfuse({ projects: [client, operators] });
  const sluice = await startSluice(withOperator(langfuse)(fakeModelConfig(fakes)));
  const key = await makeKey(sluice, {});
  const vars = langfuseVars(langfuse.url, client);
  const { langfuse_secret_key: langfuse_secret, langfuse_host: _host, ...half } = vars;
  const cases: Asked[] = [
    { content: "mark-body", body: vars },
    { content: "mark-body-streamed", body: vars, stream: true },
    { content: "mark-other-name", body: { ...half, langfuse_secret, langfuse_host: langfuse.url } },
    { content: "mark-default-host", body: { ...half, langfuse_secret } },
    { content: "mark-metadata", body: { metadata: { ...vars, own: "kept" } } },
    { content: "mark-litellm-metadata", body: { litellm_metadata: vars } },
    { content: "mark-headers", headers: asHeaders(client, langfuse.url) },
    {
      content: "mark-dashes",
      headers: Object.fromEntries(
        Object.entries(asHeaders(client, langfuse.url)).map(([name, value]) => [
          `x-${name.replaceAll("_", "-")}`,
          value,
        ]),
      ),
    },
    {
      content: "mark-failed",
      body: { ...vars, model: "fake-model", messages: [{ role: "user", content: "[[error-400-echo]] mark-failed" }] },
    },
  ];
  for (const asked of cases.slice(0, -1))
    expect(await ask(sluice, key, asked)).toMatch(/^langfuse=(queued|pending); id=/);
  const failed = cases.at(-1);
  await fetch(`${sluice.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(failed?.body),
  }).then((response) => response.text());
  await ask(sluice, key, { content: "mark-without" });
  await until("all arrived", () => marksIn(langfuse, "client").length + marksIn(langfuse, "operators").length >= 10);
  expect(marksIn(langfuse, "client")).toEqual(cases.map(({ content }) => content).toSorted());
  expect(marksIn(langfuse, "operators")).toEqual(["mark-without"]);
  expect(langfuse.requests.filter(({ publicKeyMismatch }) => publicKeyMismatch)).toEqual([]);
  const kept = langfuse.requests.map(({ text }) => text).join("\n");
  expect(kept).toContain("kept");
  expect(kept).not.toContain(client.secretKey);
  expect(JSON.stringify(fakes.openai.calls)).not.toContain(client.secretKey);
  expect(sluice.logs()).not.toContain(client.secretKey);
  await langfuse.close();
});

test("half a pair, halves of two places, references and forbidden hosts are not used, and meet no operator's secret", async ({
  startSluice,
  fakes,
}) => {
  const langfuse = await startFakeLangfuse({ projects: [client, operators] });
  const foreign = await startFakeLangfuse({ projects: [client] });
  const options = withOperator(langfuse)(fakeModelConfig(fakes));
  const opened = `127.0.0.1:${new URL(langfuse.url).port}`;
  const sluice = await startSluice({ ...options, env: { ...options.env, SLUICE_PRIVATE_DESTINATION_HOSTS: opened } });
  const key = await makeKey(sluice, {});
  const { publicKey: langfuse_public_key, secretKey: langfuse_secret_key } = client;
  const cases: Asked[] = [
    { content: "mark-host-alone", body: { langfuse_host: foreign.url } },
    { content: "mark-public-alone", body: { langfuse_public_key, langfuse_host: foreign.url } },
    { content: "mark-secret-alone", body: { langfuse_secret_key, langfuse_host: foreign.url } },
    { content: "mark-two-places", body: { langfuse_public_key, metadata: { langfuse_secret_key } } },
    { content: "mark-header-and-body", body: { langfuse_public_key }, headers: { langfuse_secret_key } },
    { content: "mark-empty", body: { langfuse_public_key: "", langfuse_secret_key: "" } },
    { content: "mark-number", body: { langfuse_public_key: 1, langfuse_secret_key: { a: 1 } } },
    {
      content: "mark-reference",
      body: {
        langfuse_public_key: "os.environ/LANGFUSE_PUBLIC_KEY",
        langfuse_secret_key: "os.environ/LANGFUSE_SECRET_KEY",
        langfuse_host: langfuse.url,
      },
    },
    { content: "mark-closed-port", body: langfuseVars(foreign.url, client) },
    { content: "mark-plain-http", body: langfuseVars("http://langfuse.example.com", client) },
    { content: "mark-metadata-service", body: langfuseVars("http://169.254.169.254", client) },
  ];
  for (const asked of cases) expect(await ask(sluice, key, asked), asked.content).toMatch(/^langfuse=queued/);
  await until("all arrived", () => marksIn(langfuse, "operators").length >= cases.length);
  expect(marksIn(langfuse, "operators")).toEqual(cases.map(({ content }) => content).toSorted());
  expect(langfuse.project("client").spans).toEqual([]);
  expect(foreign.requests).toEqual([]);
  await Promise.all([langfuse.close(), foreign.close()]);
});

test("entries of key or team, default_team_settings, must_log and the operator's setting come before a client's pair", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(120_000);
  const langfuse = await startFakeLangfuse({ projects: [client, operators, teams] });
  const body = langfuseVars(langfuse.url, client);
  const logging = [{ callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, teams) }];
  const options = withOperator(langfuse)(fakeModelConfig(fakes));
  const defaults = [{ team_id: "by-default", success_callback: ["langfuse"], ...langfuseVars(langfuse.url, teams) }];
  const sluice = await startSluice({
    ...options,
    config: { ...options.config, litellm_settings: { callbacks: ["langfuse"], default_team_settings: defaults } },
  });
  await mustAdmin(sluice, "/team/new", { team_id: "own", metadata: { logging } });
  await mustAdmin(sluice, "/team/new", { team_id: "by-default" });
  const keys = {
    "mark-key": await makeKey(sluice, { metadata: { logging } }),
    "mark-team": await makeKey(sluice, { team_id: "own" }),
    "mark-default": await makeKey(sluice, { team_id: "by-default" }),
  };
  for (const [content, key] of Object.entries(keys)) {
    await ask(sluice, key, { content, body });
    await ask(sluice, key, { content, headers: asHeaders(client, langfuse.url) });
  }
  const optedOut = await makeKey(sluice, { metadata: { logging: [] } });
  expect(await ask(sluice, optedOut, { content: "mark-silent", body })).toBe("disabled");
  expect(
    await ask(sluice, await makeKey(sluice, {}), { content: "mark-no-log", body: { ...body, "no-log": true } }),
  ).toBe("no-log");
  await until("all arrived", () => marksIn(langfuse, "teams").length >= 6);
  expect(marksIn(langfuse, "teams")).toEqual(
    Object.keys(keys)
      .flatMap((mark) => [mark, mark])
      .toSorted(),
  );
  for (const general of [{ must_log: true }, { allow_client_side_credentials: false }]) {
    const strict = await startSluice(withOperator(langfuse, general)(fakeModelConfig(fakes)));
    const content = `mark-${Object.keys(general)[0]?.replaceAll("_", "-") ?? ""}`;
    const receipt = await ask(strict, await makeKey(strict, {}), { content, body });
    expect(receipt.endsWith("; must-log")).toBe("must_log" in general);
    await until("it arrived", () => marksIn(langfuse, "operators").includes(content));
  }
  await sleep(500);
  expect(langfuse.project("client").spans).toEqual([]);
  await langfuse.close();
});

test("a client's pair is sealed with the record, survives a kill, and obeys the redaction of its key", async ({
  startSluice,
  fakes,
}) => {
  const langfuse = await startFakeLangfuse({ projects: [client] });
  const general_settings = { delivery: { retry_max_seconds: 1 } };
  const sluice = await startSluice({ config: { ...fakeModelConfig(fakes), general_settings } });
  const open = await makeKey(sluice, {});
  const redacted = await makeKey(sluice, { redaction: "content" });
  langfuse.setBehaviour({ down: true });
  const body = langfuseVars(langfuse.url, client);
  await ask(sluice, open, { content: "mark-open", body });
  await ask(sluice, redacted, { content: "mark-redacted", body });
  await sluice.kill();
  for (const file of await readdir(sluice.dataDir, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const bytes = await readFile(join(file.parentPath, file.name));
    for (const text of [client.secretKey, client.publicKey]) expect(bytes.includes(text), file.name).toBe(false);
  }
  langfuse.setBehaviour({});
  await sluice.restart();
  await until("both arrived", () => langfuse.project("client").spans.length >= 2);
  expect(marksIn(langfuse, "client")).toEqual(["mark-open", "no mark"]);
  expect(langfuse.requests.map(({ text }) => text).join("\n")).not.toContain("mark-redacted");
  await langfuse.close();
});
