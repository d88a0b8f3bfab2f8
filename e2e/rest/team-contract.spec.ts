import { setTimeout as sleep } from "node:timers/promises";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { isObject } from "../fakes/fake-server.ts";
import { startFakeLangfuse, type FakeLangfuse } from "../fakes/langfuse.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";
import { ask, promptsAt, request } from "./ask.ts";

test.slow();

type Project = ReturnType<typeof makeProject>;

function entryAt(langfuse: FakeLangfuse, project: Project, more: object = {}): object {
  return { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, project), ...more };
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

test("fifty callbacks that are added to one team at once are all there, and of equal ones exactly one", async ({
  sluice,
}) => {
  const project = makeProject("parallel");
  const langfuse = await startFakeLangfuse({ projects: [project] });
  await mustAdmin(sluice, "/team/new", { team_id: "many" });
  const kinds = ["langfuse", "langfuse_otel", "otel", "webhook", "langsmith"];
  const varsOf: Record<string, object> = {
    langfuse: langfuseVars(langfuse.url, project),
    langfuse_otel: langfuseVars(langfuse.url, project),
    otel: { otel_endpoint: langfuse.url },
    webhook: { webhook_url: langfuse.url },
    langsmith: { langsmith_api_key: "ls-key", langsmith_base_url: langfuse.url },
  };
  const add = (team: string, callback_name: string, more: object) =>
    request(sluice, `/team/${team}/callback`, {
      body: { callback_name, callback_vars: varsOf[callback_name], ...more },
    });
  const many = await Promise.all(
    Array.from({ length: 50 }, (_, index) => add("many", kinds[index % 5] ?? "", { allow_multiple: true })),
  );
  expect(many.map(({ status }) => status)).toEqual(many.map(() => 200));
  const { team_info } = await mustAdmin(sluice, "/team/info?team_id=many");
  const metadata = isObject(team_info) && isObject(team_info["metadata"]) ? team_info["metadata"] : {};
  const names = listOf(metadata["logging"]).map((each) => String(each["callback_name"]));
  expect(names.toSorted()).toEqual(kinds.flatMap((kind) => Array.from({ length: 10 }, () => kind)).toSorted());

  await mustAdmin(sluice, "/team/new", { team_id: "equal" });
  const equal = await Promise.all(Array.from({ length: 20 }, () => add("equal", "langfuse", {})));
  const refused = equal.filter(({ status }) => status !== 200);
  expect(refused).toHaveLength(19);
  for (const { status, body } of refused) {
    expect([status, body]).toEqual([
      400,
      {
        error: expect.objectContaining({
          message: expect.stringContaining("callback_name = langfuse already exists in team_callback_settings"),
          type: "bad_request_error",
          param: "callback_name",
          code: "400",
        }),
      },
    ]);
  }
  await langfuse.close();
});

test("a failure entry is silent on success, an escaped id is the team's, and references wait for their variable", async ({
  startSluice,
  fakes,
}) => {
  const [failures, referred, byDefault] = ["failures", "referred", "by-default"].map(makeProject);
  if (!failures || !referred || !byDefault) throw new Error("There are three projects.");
  const langfuse = await startFakeLangfuse({ projects: [failures, referred, byDefault] });
  const variables = {
    LANGFUSE_REFERRED_PUBLIC: referred.publicKey,
    LANGFUSE_REFERRED_SECRET: referred.secretKey,
    LANGFUSE_DEFAULT_PUBLIC: byDefault.publicKey,
  };
  const defaults = {
    team_id: "no row",
    success_callback: ["langfuse"],
    langfuse_public_key: "os.environ/LANGFUSE_DEFAULT_PUBLIC",
    langfuse_secret: "os.environ/LANGFUSE_DEFAULT_SECRET",
    langfuse_host: langfuse.url,
  };
  const sluice = await startSluice({
    config: { ...fakeModelConfig(fakes), litellm_settings: { default_team_settings: [defaults] } },
    env: variables,
  });
  const teamId = "a/b c?d#e%2Ff";
  const path = `/team/${encodeURIComponent(teamId)}/callback`;
  await mustAdmin(sluice, "/team/new", { team_id: teamId });
  await mustAdmin(sluice, path, entryAt(langfuse, failures, { callback_type: "failure" }));
  expect(await mustAdmin(sluice, path)).toMatchObject({
    data: { team_id: teamId, success_callbacks: [], failure_callbacks: ["langfuse"] },
  });
  const failing = await makeKey(sluice, { team_id: teamId });
  expect((await ask(sluice, failing, { content: "goes well" })).receipt).toBe("none");
  expect((await ask(sluice, failing, { content: "[[error-500]] goes wrong" })).status).toBe(500);

  const reference = (name: string) => ({
    langfuse_public_key: "os.environ/LANGFUSE_REFERRED_PUBLIC",
    langfuse_secret_key: `os.environ/${name}`,
    langfuse_host: langfuse.url,
  });
  await mustAdmin(sluice, "/team/new", { team_id: "refers" });
  const onTeam = { callback_name: "langfuse", callback_vars: reference("LANGFUSE_REFERRED_SECRET") };
  await mustAdmin(sluice, "/team/refers/callback", onTeam);
  const unset = { callback_name: "langfuse", callback_vars: reference("LANGFUSE_REFERRED_LATER") };
  const waiting = await makeKey(sluice, { metadata: { logging: [unset] } });
  const noRow = await makeKey(sluice, { team_id: "no row" });
  const ofTeam = await makeKey(sluice, { team_id: "refers" });
  for (const [key, content] of [
    [ofTeam, "by reference"],
    [waiting, "waits"],
    [noRow, "waits by default"],
  ] as const) {
    const answer = await ask(sluice, key, { content });
    expect([answer.status, answer.receipt.split(";")[0]]).toEqual([200, "langfuse=queued"]);
  }
  await until("the resolved one arrived", () => promptsAt(langfuse, "referred").length === 1);
  await until("the failure arrived", () => promptsAt(langfuse, "failures").length === 1);
  await sleep(1_000);
  expect(promptsAt(langfuse, "failures")).toEqual(["[[error-500]] goes wrong"]);
  expect(promptsAt(langfuse, "referred")).toEqual(["by reference"]);
  expect(promptsAt(langfuse, "by-default")).toEqual([]);
  await sluice.restart({
    LANGFUSE_REFERRED_LATER: referred.secretKey,
    LANGFUSE_DEFAULT_SECRET: byDefault.secretKey,
  });
  await until("what waited arrived", () => promptsAt(langfuse, "referred").length === 2);
  await until("what waited by default arrived", () => promptsAt(langfuse, "by-default").length === 1);
  expect(promptsAt(langfuse, "referred")).toEqual(["by reference", "waits"]);
  expect(JSON.stringify(langfuse.requests)).not.toContain("os.environ");
  await langfuse.close();
});

test("only true is no-log, and a header or a key switches callbacks off by name, where the operator lets it", async ({
  startSluice,
  fakes,
}) => {
  const project = makeProject("controls");
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const open = await startSluice({ config: fakeModelConfig(fakes) });
  const strict = { global_disable_no_log_param: true, allow_dynamic_callback_disabling: false };
  const closed = await startSluice({ config: { ...fakeModelConfig(fakes), litellm_settings: strict } });
  const logging = [entryAt(langfuse, project)];
  const disabling = (names: unknown) => ({ metadata: { logging, litellm_disabled_callbacks: names } });
  const header = (names: string) => ({ headers: { "x-litellm-disable-callbacks": names } });
  const expected: string[] = [];
  for (const [sluice, key, content, more, isLogged] of [
    [open, { metadata: { logging } }, "plain", {}, true],
    [open, { metadata: { logging } }, "no-log", { "no-log": true }, false],
    [open, { metadata: { logging } }, "no-log as text", { "no-log": "true" }, true],
    [open, { metadata: { logging } }, "header", header("Langfuse, datadog"), false],
    [open, { metadata: { logging } }, "header for others", header("datadog"), true],
    [open, { metadata: { logging } }, "empty header", header(""), true],
    [open, disabling(["langfuse"]), "by the key", {}, false],
    [open, disabling([]), "by the key, none", {}, true],
    [open, disabling("langfuse"), "by the key, no list", {}, true],
    [closed, { metadata: { logging } }, "no-log without effect", { "no-log": true }, true],
    [closed, { metadata: { logging } }, "header without effect", header("langfuse"), true],
  ] as const) {
    const answer = await ask(sluice, await makeKey(sluice, key), { content, ...more });
    expect([answer.status, answer.receipt.split(";")[0]], content).toEqual([
      200,
      isLogged ? "langfuse=queued" : "no-log",
    ]);
    if (isLogged) expected.push(content);
  }
  await until("all arrived", () => promptsAt(langfuse, "controls").length >= expected.length);
  await sleep(1_000);
  expect(promptsAt(langfuse, "controls")).toEqual(expected.toSorted());
  await langfuse.close();
});

test("no read, list, audit, metric, preview or log of ours shows a secret of a team or a key", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(120_000);
  const project = { ...makeProject("hidden"), secretKey: "sk-lf-hidden-in-the-team-0123456789" };
  const ofKey = { ...makeProject("hidden-key"), secretKey: "sk-lf-kept-from-the-key-9876543210" };
  const langfuse = await startFakeLangfuse({ projects: [project, ofKey] });
  const sluice = await startSluice({ config: fakeModelConfig(fakes), env: { SLUICE_LOG_LEVEL: "trace" } });
  const texts: { path: string; text: string }[] = [];
  const call = async (path: string, options: Parameters<typeof request>[2] = {}): Promise<Record<string, unknown>> => {
    const answer = await request(sluice, path, options);
    texts.push({ path, text: answer.text });
    return answer.body;
  };
  await call("/team/new", { body: { team_id: "hidden", metadata: { logging: [] } } });
  await call("/team/hidden/callback", { body: entryAt(langfuse, project) });
  await call("/team/hidden/callback", { body: entryAt(langfuse, project) });
  await call("/team/hidden/callback", { body: entryAt(langfuse, project, { callback_type: "nonsense" }) });
  const made = await call("/key/generate", {
    body: { team_id: "hidden", key_alias: "hidden", metadata: { logging: [entryAt(langfuse, ofKey)] } },
  });
  const key = String(made["key"]);
  await call("/key/update", { body: { key, metadata: { logging: [entryAt(langfuse, ofKey), "no object"] } } });
  await call("/key/update", { body: { key, metadata: { logging: [entryAt(langfuse, ofKey)] } } });
  await ask(sluice, key, { content: "a call" });
  // A destination that quotes what it was shown.
  const echo = ({ id, secretKey }: Project) =>
    langfuse.setBehaviour({ projectId: id, status: 401, body: { message: `no such key ${secretKey}` } });
  echo(ofKey);
  await ask(sluice, key, { content: "a call that waits" });
  await call("/key/health", { method: "POST", key });
  echo(project);
  await call("/team/hidden/callback?test=true", { body: entryAt(langfuse, project, { allow_multiple: true }) });
  const reads = [
    "/team/hidden/callback",
    "/team/info?team_id=hidden",
    "/team/list",
    `/key/info?key=${key}`,
    "/key/list?return_full_object=true&size=100",
    "/key/list?team_id=hidden&return_full_object=true",
    "/audit?page_size=100",
    "/metrics",
    "/health",
    "/health/readiness",
    "/health/readiness/details",
    "/active/callbacks",
    "/callbacks/list",
    "/routes",
    "/openapi.json",
    `/v1/logging/effective?key=${key}`,
  ];
  for (const path of reads) {
    const answer = await request(sluice, path);
    expect(answer.status, `${path}: ${answer.text}`).toBe(200);
    texts.push({ path, text: answer.text });
  }
  await call("/v2/key/info", { body: { keys: [key] } });
  await call("/v1/logging/effective", { key });
  await call("/v1/logging/preview", { key, body: { model: "fake-model", messages: [{ role: "user", content: "x" }] } });
  await call("/team/update", { body: { team_id: "hidden", metadata: { logging: [entryAt(langfuse, project)] } } });
  await call(`/key/${key}/regenerate`, { body: {} });
  await call("/team/hidden/disable_logging", { body: {} });
  await call("/audit?page_size=100");
  await call("/team/delete", { body: { team_ids: ["hidden"] } });
  await sluice.stop();
  const halves = [project.secretKey, ofKey.secretKey].flatMap((secret) => {
    const own = secret.slice("sk-lf-".length);
    return [own.slice(0, 12), own.slice(-12), Buffer.from(secret).toString("base64").slice(4, 24)];
  });
  for (const text of [...texts.map(({ text }) => text), sluice.logs(), JSON.stringify(fakes.openai.calls)]) {
    for (const half of halves) expect(text.includes(half), `${half} in ${text.slice(0, 300)}`).toBe(false);
  }
  expect(texts.some(({ path, text }) => path.startsWith("/audit") && text.includes("disable_logging"))).toBe(true);
  // A key is shown by the answer that made it, and where an answer repeats what was asked for.
  const shown = texts.filter(({ text }) => text.includes(key)).map(({ path }) => path.split("?")[0]);
  expect([...new Set(shown)]).toEqual(["/key/generate", "/key/update", "/key/info", "/v2/key/info"]);
  expect(sluice.logs()).not.toContain(key);
  await langfuse.close();
});

test("changes are audited with who asked, unless the operator wants no audit", async ({ startSluice, fakes }) => {
  const audited = await startSluice({ config: fakeModelConfig(fakes) });
  const silent = await startSluice({
    config: { ...fakeModelConfig(fakes), litellm_settings: { store_audit_logs: false } },
  });
  const vars = { langfuse_public_key: "pk-lf-1", langfuse_secret_key: "sk-lf-canary" };
  for (const sluice of [audited, silent]) {
    await mustAdmin(sluice, "/team/new", { team_id: "audited" });
    const headers = { "litellm-changed-by": "grace@example.com" };
    const body = { callback_name: "langfuse", callback_vars: vars };
    expect((await request(sluice, "/team/audited/callback", { body, headers })).status).toBe(200);
    expect((await request(sluice, "/team/audited/disable_logging", { body: {}, headers })).status).toBe(200);
  }
  const { audit_logs } = await mustAdmin(audited, "/audit?object_type=team&object_id=audited");
  expect(listOf(audit_logs).map((entry) => [entry["action"], entry["actor"], entry["changed_by"]])).toEqual([
    ["disable_logging", "default_user_id", "grace@example.com"],
    ["add_callback", "default_user_id", "grace@example.com"],
    ["create", "default_user_id", "default_user_id"],
  ]);
  const text = JSON.stringify(audit_logs);
  expect(text).toContain("***REDACTED***");
  expect(text).not.toContain("canary");
  expect(await mustAdmin(silent, "/audit")).toMatchObject({ audit_logs: [], total: 0 });
});

test("health, readiness, routes, metrics and callbacks say what operators need, and strangers get yes or no", async ({
  startSluice,
  fakes,
}) => {
  const project = makeProject("service");
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const sluice = await startSluice({
    config: { ...fakeModelConfig(fakes), litellm_settings: { callbacks: ["langfuse"] } },
    env: {
      LANGFUSE_HOST: langfuse.url,
      LANGFUSE_PUBLIC_KEY: project.publicKey,
      LANGFUSE_SECRET_KEY: project.secretKey,
    },
  });
  for (const path of ["/health/liveliness", "/health/liveness"]) {
    expect((await request(sluice, path, { key: null })).text).toBe('"I\'m alive!"');
  }
  const stranger = await request(sluice, "/health/readiness", { key: null });
  expect(stranger.body).toMatchObject({ status: "healthy" });
  expect(stranger.text).not.toContain("langfuse");
  for (const path of ["/health", "/health/readiness/details", "/health/services?service=langfuse", "/metrics"]) {
    const refused = await request(sluice, path, { key: null });
    expect([refused.status, refused.body], path).toMatchObject([401, { error: { type: "auth_error", code: "401" } }]);
  }
  expect((await mustAdmin(sluice, "/health"))["healthy_count"]).toBe(1);
  expect(await mustAdmin(sluice, "/health/services?service=langfuse")).toMatchObject({ status: "success" });
  expect((await request(sluice, "/health/services?service=nothing")).status).toBe(400);
  langfuse.setBehaviour({ status: 401 });
  expect((await request(sluice, "/health/services?service=langfuse")).status).toBe(503);
  langfuse.setBehaviour({});
  expect((await request(sluice, "/active/callbacks")).text).toContain("langfuse");
  expect((await request(sluice, "/routes")).text).toContain("/team/{team_id}/callback");
  await ask(sluice, await makeKey(sluice, { team_id: "unnamed-team" }), { content: "counted" });
  await until("it arrived", () => promptsAt(langfuse, "service").length === 1);
  const metrics = await request(sluice, "/metrics");
  expect(metrics.headers.get("content-type")).toContain("text/plain");
  expect(metrics.text).toMatch(/callback="langfuse"/);
  expect(metrics.text).not.toContain("unnamed-team");
  await langfuse.close();
});
