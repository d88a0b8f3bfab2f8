import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { startFakeAnthropic } from "../fakes/anthropic.ts";
import { startFakeLangfuse, type FakeLangfuse } from "../fakes/langfuse.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { admin, langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";
import { everyCall } from "./every-call.ts";

/** What a sink received, byte for byte, decompressed. */
function receivedBy(langfuse: FakeLangfuse): string {
  return langfuse.requests.map((request) => request.text).join("\n");
}

/** Asks as a client that reads the whole answer, and gives back the answer. */
async function ask(
  sluice: SluiceProcess,
  key: string,
  { headers = {}, ...body }: { headers?: Record<string, string>; content: string } & Record<string, unknown>,
): Promise<{ status: number; receipt: string | null; text: string }> {
  const { content, ...others } = body;
  const response = await fetch(`${sluice.url}/v1/chat/completions`, {
    method: "POST",
    headers: { ...headers, authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "fake-model", messages: [{ role: "user", content }], ...others }),
  });
  const text = await response.text().catch((error: unknown) => String(error));
  return { status: response.status, receipt: response.headers.get("x-sluice-log"), text };
}

/** A team whose entries each send to a project of their own, under these general variables. */
async function makeTeam(
  sluice: SluiceProcess,
  teamId: string,
  entries: { sink: FakeLangfuse; project: ReturnType<typeof makeProject>; vars?: object }[],
): Promise<string> {
  await mustAdmin(sluice, "/team/new", { team_id: teamId });
  for (const { sink, project, vars } of entries) {
    await mustAdmin(sluice, `/team/${teamId}/callback`, {
      callback_name: "langfuse",
      callback_vars: { ...langfuseVars(sink.url, project), ...vars },
      allow_multiple: true,
    });
  }
  return makeKey(sluice, { team_id: teamId });
}

/** A request with a canary in every field: `secret` ones are content, `kept` ones survive the level `content`. */
function fullRequest(behaviour: string, id: string, stream: boolean): Record<string, unknown> {
  const secret = (field: string): string => `canary-secret-${id}-${field}`;
  const tool = {
    name: "look_up",
    description: secret("tool-description"),
    parameters: { type: "object", properties: { [secret("parameter")]: { type: "string", enum: [secret("enum")] } } },
  };
  return {
    model: "fake-model",
    stream,
    messages: [
      { role: "system", content: secret("system") },
      {
        role: "user",
        content: [
          { type: "text", text: secret("part") },
          { type: "image_url", image_url: { url: `https://example.com/${secret("image")}?${secret("query")}` } },
        ],
        name: secret("name"),
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [
          { id: "call_1", type: "function", function: { name: "look_up", arguments: `{"q":"${secret("argument")}"}` } },
        ],
      },
      { role: "tool", tool_call_id: "call_1", content: secret("tool-result") },
      { role: "user", content: `[[${behaviour}]] ${secret("prompt")} one two three four five six` },
    ],
    tools: [{ type: "function", function: tool }],
    response_format: {
      type: "json_schema",
      json_schema: { name: "x", description: secret("schema"), schema: { title: secret("title") } },
    },
    stop: [secret("stop")],
    user: `canary-kept-${id}-user`,
    metadata: { own: secret("metadata"), nested: { deep: [secret("nested")] }, tags: [`canary-kept-${id}-tag`] },
    tags: [`canary-kept-${id}-top-tag`],
  };
}

const behaviours = [
  "echo",
  "tools",
  "reasoning_content",
  "refusal",
  "error-400-echo",
  "error-500",
  "error-mid-stream",
  "break-mid-stream",
  "invalid-json",
  "disconnect",
] as const;

/** Sends a request and reads the answer, or leaves after its first bytes. */
async function send(sluice: SluiceProcess, key: string, { body, leaves }: { body: object; leaves: boolean }) {
  const controller = new AbortController();
  const answer = fetch(`${sluice.url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      "user-agent": "canary-secret-agent",
      "x-canary": "canary-secret-header",
      "x-forwarded-for": "canary-secret-address",
    },
    body: JSON.stringify(body),
    signal: controller.signal,
  });
  if (!leaves) {
    await answer.then((response) => response.text()).catch(() => null);
    return;
  }
  await Promise.race([answer.then((response) => response.body?.getReader().read()), sleep(700)]).catch(() => null);
  controller.abort();
  await answer.catch(() => null);
}

test("no byte of content reaches a redacted sink, our own log or a file, whatever becomes of a call", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(120_000);
  const projects = ["open", "content", "metadata"].map(makeProject);
  const [open, content, metadata] = projects;
  if (!open || !content || !metadata) throw new Error("There are three projects.");
  const sinks = await Promise.all(projects.map((project) => startFakeLangfuse({ projects: [project] })));
  const [openSink, contentSink, metadataSink] = sinks;
  if (!openSink || !contentSink || !metadataSink) throw new Error("There are three sinks.");
  const sluice = await startSluice({ config: fakeModelConfig(fakes), env: { SLUICE_LOG_LEVEL: "trace" } });
  const key = await makeTeam(sluice, "matrix", [
    { sink: openSink, project: open },
    { sink: contentSink, project: content, vars: { turn_off_message_logging: true } },
    { sink: metadataSink, project: metadata, vars: { redaction: "metadata_only" } },
  ]);
  const cases = behaviours.flatMap((behaviour) => [false, true].map((stream) => ({ behaviour, stream })));
  await Promise.all(
    cases.map(async ({ behaviour, stream }, index) => {
      const body = fullRequest(behaviour === "disconnect" ? "slow" : behaviour, `c${String(index)}x`, stream);
      await send(sluice, key, { body, leaves: behaviour === "disconnect" });
    }),
  );
  for (const [index, sink] of sinks.entries()) {
    const id = projects[index]?.id ?? "";
    await until(`${id} got every call`, () => sink.project(id).spans.length >= cases.length);
    expect(sink.project(id).spans, id).toHaveLength(cases.length);
  }

  const opened = receivedBy(openSink);
  for (const [index, { behaviour, stream }] of cases.entries()) {
    const id = `c${String(index)}x`;
    const fields = ["system", "part", "argument", "tool-result", "prompt", "tool-description", "metadata"];
    for (const field of fields)
      expect(opened, `${behaviour} ${String(stream)}`).toContain(`canary-secret-${id}-${field}`);
  }
  const redacted = receivedBy(contentSink);
  expect(redacted.match(/canary-secret-[\w-]+/g) ?? []).toEqual([]);
  expect(redacted).not.toContain("I'm sorry, I can't assist");
  expect(redacted).toContain("redacted-by-litellm");
  for (const [index] of cases.entries()) {
    for (const field of ["user", "tag", "top-tag"])
      expect(redacted).toContain(`canary-kept-c${String(index)}x-${field}`);
  }
  expect(receivedBy(metadataSink).match(/canary-[\w-]+/g) ?? []).toEqual([]);
  expect(sluice.logs().match(/canary-[\w-]+/g) ?? []).toEqual([]);
  for (const file of await readdir(sluice.dataDir, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const bytes = await readFile(join(file.parentPath, file.name));
    expect(bytes.includes("canary-"), file.name).toBe(false);
  }

  // Usage is no content: the redacted records count what the open ones count.
  const usageOf = (sink: FakeLangfuse, id: string): string[] =>
    sink
      .project(id)
      .spans.map((span) => JSON.stringify([span.level, span.usage]))
      .toSorted();
  expect(usageOf(contentSink, "content")).toEqual(usageOf(openSink, "open"));
  expect(usageOf(metadataSink, "metadata")).toEqual(usageOf(openSink, "open"));
  await Promise.all(sinks.map((sink) => sink.close()));
});

test("no byte of content reaches a redacted sink on any route, through any official client", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(120_000);
  const projects = ["open", "content", "metadata"].map(makeProject);
  const sinks = await Promise.all(projects.map((project) => startFakeLangfuse({ projects: [project] })));
  const anthropic = await startFakeAnthropic();
  const claude = { model: "anthropic/claude-fake", api_base: anthropic.url, api_key: "sk-ant-fake" };
  const config = fakeModelConfig(fakes, [{ model_name: "claude-fake", litellm_params: claude }]);
  const sluice = await startSluice({ config, env: { SLUICE_LOG_LEVEL: "trace" } });
  const vars = [{}, { turn_off_message_logging: true }, { redaction: "metadata_only" }];
  const entries = sinks.flatMap((sink, index) => {
    const project = projects[index];
    return project ? [{ sink, project, vars: vars[index] ?? {} }] : [];
  });
  const key = await makeTeam(sluice, "routes", entries);
  const target = { openaiUrl: `${sluice.url}/v1`, anthropicUrl: sluice.url, key };
  const cases = everyCall.flatMap(({ name, run }) =>
    ["plain", "tools", "thinking", "error-400-echo", "error-mid-stream"].map((behaviour) => ({ name, run, behaviour })),
  );
  for (const [index, { run, behaviour }] of cases.entries()) {
    await run(target, `[[${behaviour}]] one two canary-r${String(index)}x`);
  }
  for (const [index, sink] of sinks.entries()) {
    const id = projects[index]?.id ?? "";
    await until(`${id} got every call`, () => sink.project(id).spans.length >= cases.length);
  }
  const [open, content, metadata] = sinks.map(receivedBy);
  for (const [index, { name, behaviour }] of cases.entries()) {
    expect(open, `${name}: ${behaviour}`).toContain(`canary-r${String(index)}x`);
  }
  expect(content?.match(/canary-[\w-]+/g) ?? []).toEqual([]);
  expect(content).not.toContain("Be brief");
  expect(metadata?.match(/canary-[\w-]+/g) ?? []).toEqual([]);
  expect(sluice.logs().match(/canary-[\w-]+/g) ?? []).toEqual([]);
  await Promise.all([...sinks.map((sink) => sink.close()), anthropic.close()]);
});

test("an upstream's error that quotes the prompt stays with the client", async ({ sluice }) => {
  const project = makeProject("quoted");
  const sink = await startFakeLangfuse({ projects: [project] });
  const key = await makeTeam(sluice, "quoted", [{ sink, project, vars: { turn_off_message_logging: "True" } }]);
  const answer = await ask(sluice, key, { content: "[[error-400-echo]] canary-quoted" });
  expect(answer.status).toBe(400);
  expect(answer.text).toContain("canary-quoted");
  await until("the record arrived", () => sink.project("quoted").spans.length === 1);
  expect(receivedBy(sink)).not.toContain("canary-quoted");
  expect(sink.project("quoted").spans[0]).toMatchObject({ level: "ERROR" });
  await sink.close();
});

test("headers ask for redaction with any value but false, 0 and nothing, and cannot lift it", async ({ sluice }) => {
  const project = makeProject("headers");
  const sink = await startFakeLangfuse({ projects: [project] });
  const openKey = await makeTeam(sluice, "headers-open", [{ sink, project }]);
  const closedKey = await makeTeam(sluice, "headers-closed", [
    { sink, project, vars: { turn_off_message_logging: true } },
  ]);
  const values = { true: true, TRUE: true, 1: true, false: false, False: false, FALSE: false, 0: false, "": false };
  const cases: { canary: string; isRedacted: boolean }[] = [];
  for (const [value, asks] of Object.entries(values)) {
    for (const name of ["x-litellm-enable-message-redaction", "litellm-enable-message-redaction"]) {
      cases.push({ canary: `canary-${String(cases.length)}x`, isRedacted: asks });
      await ask(sluice, openKey, { content: cases.at(-1)?.canary ?? "", headers: { [name]: value } });
    }
    cases.push({ canary: `canary-${String(cases.length)}x`, isRedacted: true });
    const headers = { "litellm-disable-message-redaction": value };
    await ask(sluice, closedKey, { content: cases.at(-1)?.canary ?? "", headers });
  }
  cases.push({ canary: `canary-${String(cases.length)}x`, isRedacted: true });
  await ask(sluice, closedKey, { content: cases.at(-1)?.canary ?? "", turn_off_message_logging: false });
  cases.push({ canary: `canary-${String(cases.length)}x`, isRedacted: true });
  await ask(sluice, openKey, { content: cases.at(-1)?.canary ?? "", turn_off_message_logging: true });
  await until("all arrived", () => sink.project("headers").spans.length >= cases.length);
  const received = receivedBy(sink);
  const seen = cases.map(({ canary }) => ({ canary, isRedacted: !received.includes(canary) }));
  expect(seen).toEqual(cases);
  await sink.close();
});

test("a key's false, also as text, wins over the global redaction, for that key alone", async ({
  startSluice,
  fakes,
}) => {
  const project = makeProject("global-on");
  const sink = await startFakeLangfuse({ projects: [project] });
  const sluice = await startSluice({
    config: {
      ...fakeModelConfig(fakes),
      litellm_settings: { callbacks: ["langfuse"], turn_off_message_logging: true },
    },
    env: {
      LANGFUSE_HOST: sink.url,
      LANGFUSE_PUBLIC_KEY: project.publicKey,
      LANGFUSE_SECRET_KEY: project.secretKey,
    },
  });
  const withVars = (vars: object): Promise<string> =>
    makeKey(sluice, {
      metadata: {
        logging: [{ callback_name: "langfuse", callback_vars: { ...langfuseVars(sink.url, project), ...vars } }],
      },
    });
  const cases = [
    ["boolean", await withVars({ turn_off_message_logging: false }), true],
    ["text", await withVars({ turn_off_message_logging: "False" }), true],
    ["level", await withVars({ redaction: "off", turn_off_message_logging: true }), true],
    ["silent", await withVars({}), false],
    ["global", await makeKey(sluice, {}), false],
  ] as const;
  for (const [name, key] of cases) await ask(sluice, key, { content: `canary-${name}.` });
  await until("all arrived", () => sink.project("global-on").spans.length >= cases.length);
  const received = receivedBy(sink);
  for (const [name, , isOpen] of cases) expect(received.includes(`canary-${name}.`), name).toBe(isOpen);
  await sink.close();
});

test("redaction that is switched on applies to what is queued and not sent", async ({ startSluice, fakes }) => {
  const project = makeProject("queued");
  const sink = await startFakeLangfuse({ projects: [project] });
  const sluice = await startSluice({
    config: { ...fakeModelConfig(fakes), general_settings: { delivery: { retry_max_seconds: 1 } } },
  });
  const key = await makeTeam(sluice, "queued", [{ sink, project }]);
  const vars = langfuseVars(sink.url, project);
  const changes = [
    { metadata: { logging: [{ callback_name: "langfuse", callback_vars: { ...vars, redaction: "content" } }] } },
    { metadata: { logging: [{ callback_name: "langfuse", callback_vars: { ...vars, redact_classes: "messages" } }] } },
    { redaction: "metadata_only", metadata: { logging: [{ callback_name: "langfuse", callback_vars: vars }] } },
  ];
  for (const [round, change] of changes.entries()) {
    await mustAdmin(sluice, "/team/update", {
      team_id: "queued",
      redaction: null,
      metadata: { logging: [{ callback_name: "langfuse", callback_vars: vars }] },
    });
    sink.setBehaviour({ down: true });
    const receipt = await ask(sluice, key, { content: `canary-queued-${String(round)}` });
    expect(receipt.receipt).toMatch(/^langfuse=queued/);
    await mustAdmin(sluice, "/team/update", { team_id: "queued", ...change });
    sink.setBehaviour({});
    await until("it arrived", () => sink.project("queued").spans.length === round + 1);
  }
  expect(JSON.stringify(sink.project("queued").spans)).not.toContain("canary");
  await sink.close();
});

test("an entry takes out the classes, the calls and the failures that it names, and wrong values are refused", async ({
  sluice,
}) => {
  const projects = ["classes", "failures", "models", "nothing"].map(makeProject);
  const sink = await startFakeLangfuse({ projects });
  const vars = [
    { redact_classes: ["tool_results", "tags"] },
    { filter_status: "failure", redact_classes: "error_text" },
    { filter_models: "other*" },
    { sampling_rate: 0 },
  ];
  const entries = projects.map((project, index) => ({ sink, project, vars: vars[index] ?? {} }));
  const key = await makeTeam(sluice, "rules", entries);
  const asked = {
    messages: [
      { role: "user", content: "canary-message" },
      { role: "tool", tool_call_id: "c1", content: "canary-result" },
    ],
    metadata: { tags: ["canary-tag"] },
  };
  const good = await ask(sluice, key, { content: "", ...asked });
  expect(good.receipt).toMatch(/^langfuse=queued; id=/);
  const bad = await ask(sluice, key, { content: "[[error-400-echo]] canary-failed" });
  expect(bad.receipt).toMatch(/^langfuse=queued, langfuse=queued; id=/);
  await until(
    "three arrived",
    () => sink.project("classes").spans.length + sink.project("failures").spans.length === 3,
  );
  await sleep(1_000);
  expect(projects.map(({ id }) => sink.project(id).spans.length)).toEqual([2, 1, 0, 0]);
  const classes = JSON.stringify(sink.project("classes").spans);
  expect(classes).toContain("canary-message");
  expect(classes).not.toContain("canary-result");
  expect(classes).not.toContain("canary-tag");
  const failures = JSON.stringify(sink.project("failures").spans);
  expect(failures).toContain("canary-failed");
  expect(failures).not.toContain("flagged as potentially violating");

  const wrong = {
    redaction: "some",
    redact_classes: "tags, everything",
    sampling_rate: 2,
    sampling_keep_failures: "maybe",
    filter_status: "failed",
  };
  for (const [name, value] of Object.entries(wrong)) {
    const entry = { callback_name: "langfuse", callback_vars: { [name]: value } };
    const onTeam = await admin(sluice, "/team/rules/callback", { ...entry, allow_multiple: true });
    const onKey = await admin(sluice, "/key/generate", { metadata: { logging: [entry] } });
    expect([onTeam.status, onKey.status], name).toEqual([422, 422]);
    expect(JSON.stringify(onTeam.body)).toContain(name);
    expect(JSON.stringify(onKey.body)).toContain(name);
  }
  await sink.close();
});

test("a host that may no longer be reached is not dialled with what was saved for it", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(120_000);
  const project = makeProject("reach");
  const sink = await startFakeLangfuse({ projects: [project] });
  const sluice = await startSluice({ config: fakeModelConfig(fakes) });
  const key = await makeTeam(sluice, "reach", [{ sink, project }]);
  await ask(sluice, key, { content: "while it may be reached" });
  await until("it arrived", () => sink.project("reach").spans.length === 1);
  await sluice.restart({ SLUICE_PRIVATE_DESTINATION_HOSTS: "" });
  sink.reset();
  const answer = await ask(sluice, key, { content: "when it may not" });
  expect(answer).toMatchObject({ status: 200, receipt: expect.stringMatching(/^langfuse=queued/) });
  await sleep(2_500);
  expect(sink.requests).toEqual([]);
  await sink.close();
});
