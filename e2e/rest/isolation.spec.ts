import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { startFakeLangfuse, type FakeLangfuse } from "../fakes/langfuse.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { admin, langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

type Project = ReturnType<typeof makeProject>;

/** A team with one Langfuse project, and a client with a key of the team. */
async function makeTeam(
  sluice: SluiceProcess,
  teamId: string,
  vars: Record<string, unknown> | null,
): Promise<{ key: string; client: OpenAI }> {
  await mustAdmin(sluice, "/team/new", { team_id: teamId });
  if (vars !== null) {
    await mustAdmin(sluice, `/team/${teamId}/callback`, { callback_name: "langfuse", callback_vars: vars });
  }
  const key = await makeKey(sluice, { team_id: teamId });
  return { key, client: clientOf(sluice, key) };
}

function clientOf(sluice: SluiceProcess, apiKey: string): OpenAI {
  return new OpenAI({ apiKey, baseURL: `${sluice.url}/v1`, maxRetries: 0 });
}

async function ask(client: OpenAI, content: string, stream = false): Promise<void> {
  const body = { model: "fake-model", messages: [{ role: "user" as const, content }] };
  if (!stream) {
    await client.chat.completions.create(body);
    return;
  }
  for await (const chunk of await client.chat.completions.create({ ...body, stream: true })) {
    expect(chunk.object).toBe("chat.completion.chunk");
  }
}

/** The canaries that a project received, each as often as it came. */
function canariesOf(langfuse: FakeLangfuse, projectId: string): string[] {
  return langfuse
    .project(projectId)
    .spans.flatMap((span) => {
      const found = /canary-[a-z0-9-]+/.exec(JSON.stringify(span.input))?.[0] ?? "no canary";
      return Array.from({ length: span.receivedCount }, () => found);
    })
    .toSorted();
}

/** Every team asks in turn, many at a time, half of them streamed; then each project has its own calls, once each. */
async function checkTeams(sluice: SluiceProcess, counts: { teams: number; calls: number }): Promise<void> {
  const projects = Array.from({ length: counts.teams }, (_, index) => makeProject(`team-${String(index)}`));
  const langfuse = await startFakeLangfuse({ projects });
  const teams: Awaited<ReturnType<typeof makeTeam>>[] = [];
  for (const project of projects) teams.push(await makeTeam(sluice, project.id, langfuseVars(langfuse.url, project)));
  const expected = new Map<string, string[]>(projects.map(({ id }) => [id, []]));
  let next = 0;
  async function askOnAndOn(): Promise<void> {
    while (next < counts.calls) {
      const call = next;
      next += 1;
      const index = call % counts.teams;
      const project = projects[index];
      const team = teams[index];
      if (!project || !team) throw new Error("There is no such team.");
      const canary = `canary-${project.id}-${String(call)}`;
      expected.get(project.id)?.push(canary);
      await ask(team.client, canary, Math.floor(call / counts.teams) % 2 === 1);
    }
  }
  await Promise.all(Array.from({ length: 24 }, askOnAndOn));
  const received = (): number => projects.reduce((sum, { id }) => sum + langfuse.project(id).spans.length, 0);
  await until("every call arrived", () => received() >= counts.calls, 60_000);
  await sleep(500);
  for (const { id } of projects) expect(canariesOf(langfuse, id), id).toEqual(expected.get(id)?.toSorted());
  const writes = langfuse.requests.filter((request) => request.method === "POST");
  expect(writes.filter((request) => request.publicKeyMismatch || request.projectId === null)).toEqual([]);
  await langfuse.close();
}

test("fifty teams on one Langfuse host each get their own calls, once, under their own credentials", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(120_000);
  await checkTeams(await startSluice({ config: fakeModelConfig(fakes) }), { teams: 50, calls: 500 });
});

test("@long fifty teams and five thousand calls stay apart", async ({ startSluice, fakes }) => {
  await checkTeams(await startSluice({ config: fakeModelConfig(fakes) }), { teams: 50, calls: 5_000 });
});

test("two Langfuse entries on one key each get every call, in their own project", async ({ sluice }) => {
  const [left, right] = [makeProject("two-left"), makeProject("two-right")];
  const langfuse = await startFakeLangfuse({ projects: [left, right] });
  const logging = [left, right].map((project) => ({
    callback_name: "langfuse",
    callback_vars: langfuseVars(langfuse.url, project),
  }));
  const key = await makeKey(sluice, { metadata: { logging } });
  const client = clientOf(sluice, key);
  const canaries = Array.from({ length: 20 }, (_, index) => `canary-two-${String(index)}`).toSorted();
  await Promise.all(canaries.map((canary, index) => ask(client, canary, index % 2 === 0)));
  for (const { id } of [left, right]) {
    await until(`${id} has all`, () => langfuse.project(id).spans.length >= canaries.length);
    expect(canariesOf(langfuse, id)).toEqual(canaries);
  }
  await langfuse.close();
});

test("the same public key at two hosts, and the same host with two secrets, are different projects", async ({
  sluice,
}) => {
  const publicKey = "pk-lf-shared";
  const projects = ["here", "there", "here-too"].map((id) => ({ ...makeProject(id), publicKey }));
  const [here, there, hereToo] = projects;
  if (!here || !there || !hereToo) throw new Error("There are three projects.");
  const near = await startFakeLangfuse({ projects: [here, hereToo] });
  const far = await startFakeLangfuse({ projects: [there] });
  const places: [Project, FakeLangfuse][] = [
    [here, near],
    [there, far],
    [hereToo, near],
  ];
  await Promise.all(
    places.map(async ([project, langfuse]) => {
      const { client } = await makeTeam(sluice, `shared-${project.id}`, langfuseVars(langfuse.url, project));
      for (let call = 0; call < 10; call += 1) await ask(client, `canary-of-${project.id}.`, call % 2 === 0);
    }),
  );
  for (const [{ id }, langfuse] of places) {
    await until(`${id} has all`, () => langfuse.project(id).spans.length >= 10);
    expect(canariesOf(langfuse, id)).toEqual(Array.from({ length: 10 }, () => `canary-of-${id}`));
  }
  await near.close();
  await far.close();
});

test("a secret that is rotated under load loses nothing and sends nothing to another project", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(120_000);
  const project = makeProject("rotated");
  const bystander = makeProject("bystander");
  const langfuse = await startFakeLangfuse({ projects: [project, bystander] });
  const sluice = await startSluice({
    config: { ...fakeModelConfig(fakes), general_settings: { delivery: { retry_max_seconds: 1 } } },
  });
  const { client } = await makeTeam(sluice, "rotated", langfuseVars(langfuse.url, project));
  const other = await makeTeam(sluice, "bystander", langfuseVars(langfuse.url, bystander));
  const answered: string[] = [];
  const stop = new AbortController();
  const clients = Array.from({ length: 8 }, async (_, who) => {
    for (let call = 0; call < 400 && !stop.signal.aborted; call += 1) {
      const canary = `canary-rotated-${String(who)}-${String(call)}`;
      await ask(client, canary, call % 2 === 0);
      answered.push(canary);
      if (call % 10 === 0) await ask(other.client, `canary-bystander-${String(who)}-${String(call)}`);
    }
  });
  for (let rotation = 1; rotation <= 4; rotation += 1) {
    await sleep(400);
    const secretKey = `sk-lf-rotated-${String(rotation)}`;
    // The vendor knows the new secret alone from now on; the gateway learns it a moment later.
    project.secretKey = secretKey;
    await sleep(100);
    const logging = [
      { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, { ...project, secretKey }) },
    ];
    await mustAdmin(sluice, "/team/update", { team_id: "rotated", metadata: { logging } });
  }
  await sleep(300);
  stop.abort();
  await Promise.all(clients);
  await until("every call arrived", () => langfuse.project("rotated").spans.length >= answered.length, 30_000);
  expect(new Set(canariesOf(langfuse, "rotated"))).toEqual(new Set(answered));
  expect(canariesOf(langfuse, "bystander").every((canary) => canary.startsWith("canary-bystander"))).toBe(true);
  await langfuse.close();
});

/** Everything with which a request could ask for a log. */
const wishes = (langfuse: FakeLangfuse, project: Project): { body: object; headers: Record<string, string> }[] => {
  const vars = langfuseVars(langfuse.url, project);
  const entry = { callback_name: "langfuse", callback_vars: vars };
  return [
    { body: vars, headers: {} },
    { body: { langfuse_secret: project.secretKey, ...vars }, headers: {} },
    { body: { success_callback: ["langfuse"], failure_callback: ["langfuse"], callbacks: ["langfuse"] }, headers: {} },
    {
      body: { metadata: { logging: [entry], callback_settings: { success_callback: ["langfuse"] }, ...vars } },
      headers: {},
    },
    { body: { litellm_metadata: { logging: [entry] }, "no-log": false, no_log: false }, headers: {} },
    {
      body: { metadata: { user_api_key_team_id: "someone", team_id: "someone", team_metadata: { logging: [entry] } } },
      headers: {},
    },
    { body: { litellm_params: { ...vars, metadata: { logging: [entry] } } }, headers: {} },
    { body: { turn_off_message_logging: false, mock_response: "x" }, headers: {} },
    {
      body: {},
      headers: {
        "x-litellm-disable-callbacks": "",
        "x-litellm-enable-callbacks": "langfuse",
        "litellm-disable-message-redaction": "true",
        "x-litellm-no-log": "false",
        "x-sluice-log": "langfuse",
        "x-litellm-tags": "langfuse",
        langfuse_public_key: project.publicKey,
        langfuse_secret_key: project.secretKey,
        langfuse_host: langfuse.url,
        langfuse_trace_id: "trace",
        "x-litellm-team-id": "someone",
      },
    },
  ];
};

test("no header, flag or metadata of a request logs what its team disabled", async ({ startSluice, fakes }) => {
  const project = makeProject("wished");
  const own = makeProject("own");
  const langfuse = await startFakeLangfuse({ projects: [project, own] });
  const sluice = await startSluice({
    config: {
      ...fakeModelConfig(fakes),
      litellm_settings: { callbacks: ["langfuse"] },
      general_settings: { allow_client_side_credentials: true },
    },
    env: {
      LANGFUSE_HOST: langfuse.url,
      LANGFUSE_PUBLIC_KEY: project.publicKey,
      LANGFUSE_SECRET_KEY: project.secretKey,
    },
  });
  let answered = 0;
  const { key } = await makeTeam(sluice, "silent", langfuseVars(langfuse.url, own));
  await mustAdmin(sluice, "/team/silent/disable_logging", {});
  const optedOut = await makeKey(sluice, { metadata: { logging: [] } });
  for (const bearer of [key, optedOut]) {
    for (const { body, headers } of wishes(langfuse, project)) {
      for (const stream of [false, true]) {
        const response = await fetch(`${sluice.url}/v1/chat/completions`, {
          method: "POST",
          headers: { ...headers, authorization: `Bearer ${bearer}`, "content-type": "application/json" },
          body: JSON.stringify({
            model: "fake-model",
            messages: [{ role: "user", content: "canary-of-silence" }],
            stream,
            ...body,
          }),
        });
        await response.text();
        // Some of these a gateway refuses outright; what it answers it must not log.
        if (response.status !== 200) continue;
        answered += 1;
        expect(response.headers.get("x-sluice-log"), JSON.stringify(body)).toBe("disabled");
      }
    }
  }
  expect(answered).toBeGreaterThan(20);
  await sleep(2_000);
  expect(langfuse.requests).toEqual([]);
  expect(sluice.logs()).not.toContain("canary");
  await langfuse.close();
});

test("references to the environment, files and vaults are never resolved for tenants or requests", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(120_000);
  const secret = "canary-of-the-operator";
  const project = makeProject("references");
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const sluice = await startSluice({
    config: fakeModelConfig(fakes),
    env: { OPERATOR_SECRET: secret, SLUICE_MASTER_KEY: `sk-${secret}`, SLUICE_ENCRYPTION_KEY: secret.padEnd(64, "0") },
  });
  const { key } = await makeTeam(sluice, "references", langfuseVars(langfuse.url, project));
  const forbidden = [
    "os.environ/OPERATOR_SECRET",
    "os.environ/SLUICE_MASTER_KEY",
    "os.environ/SLUICE_ENCRYPTION_KEY",
    "os.environ/DATABASE_URL",
  ];
  for (const value of forbidden) {
    const vars = { ...langfuseVars(langfuse.url, project), langfuse_secret_key: value };
    const entry = { callback_name: "langfuse", callback_vars: vars };
    const onTeam = await admin(sluice, "/team/references/callback", { ...entry, allow_multiple: true });
    const onKey = await admin(sluice, "/key/generate", { metadata: { logging: [entry] } });
    expect([onTeam.status, onKey.status], value).toEqual([400, 400]);
    expect(JSON.stringify([onTeam.body, onKey.body])).not.toContain(secret);
  }
  // These mean nothing here: they are texts, and arrive as the texts that they are, or not at all.
  const texts = [
    ...forbidden,
    "file:///proc/self/environ",
    "vault://secret/data",
    "${OPERATOR_SECRET}",
    "$OPERATOR_SECRET",
  ];
  for (const value of texts) {
    const response = await fetch(`${sluice.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json", langfuse_trace_name: value },
      body: JSON.stringify({
        model: "fake-model",
        messages: [{ role: "user", content: value }],
        user: value,
        api_key: value,
        langfuse_public_key: value,
        langfuse_secret_key: value,
        langfuse_host: value,
        metadata: { trace_name: value, own: value },
      }),
    });
    expect(await response.text()).not.toContain(secret);
  }
  await ask(clientOf(sluice, key), "the last one");
  await until("the last one arrived", () =>
    langfuse.project("references").spans.some((span) => JSON.stringify(span.input).includes("the last one")),
  );
  const everything = JSON.stringify([langfuse.requests, fakes.openai.calls, langfuse.project("references")]);
  expect(everything).not.toContain(secret);
  expect(langfuse.requests.filter((request) => request.publicKeyMismatch || request.projectId === null)).toEqual([]);
  await langfuse.close();
});
