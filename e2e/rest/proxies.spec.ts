import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { startFakeLangfuse, type FakeLangfuse } from "../fakes/langfuse.ts";
import { expect, test as base } from "../fixtures.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";
import { request } from "./ask.ts";
import { type FrontProxy, litellmMasterKey, startLitellm, startPortkey } from "./proxies.ts";

/** A team with a Langfuse project of its own. */
type Team = { id: string; key: string };

/** A team's client of the proxy, and the header in which the proxy hands on Sluice's call id. */
type Front = { client: OpenAI; model: string; callIdHeader: string };

/** What a call is asked with, and what Langfuse must show of it. */
type Call = { prompt: string; callId: string; sessionId: string | null; answer: string; level: string };

type ProxyFixtures = { openLangfuse: () => Promise<FakeLangfuse>; keepProxy: (proxy: FrontProxy) => FrontProxy };

const test = base.extend<ProxyFixtures>({
  openLangfuse: async ({}, use) => {
    const opened: FakeLangfuse[] = [];
    await use(async () => {
      const langfuse = await startFakeLangfuse({ projects: ["amber", "blue"].map(makeProject) });
      opened.push(langfuse);
      return langfuse;
    });
    for (const langfuse of opened) await langfuse.close();
  },
  keepProxy: async ({}, use, testInfo) => {
    const kept: FrontProxy[] = [];
    await use((proxy) => {
      kept.push(proxy);
      return proxy;
    });
    for (const proxy of kept) {
      if (testInfo.status !== testInfo.expectedStatus) console.error(`${proxy.url} printed:\n${proxy.logs()}`);
      await proxy.stop();
    }
  },
});

async function makeTeam(sluice: SluiceProcess, langfuse: FakeLangfuse, project: string): Promise<Team> {
  const id = `${project}-${randomUUID()}`;
  await mustAdmin(sluice, "/team/new", { team_id: id });
  await mustAdmin(sluice, `/team/${id}/callback`, {
    callback_name: "langfuse",
    callback_vars: langfuseVars(langfuse.url, makeProject(project)),
  });
  return { id, key: await makeKey(sluice, { team_id: id }) };
}

/** Asks plain or streamed. Without `given`, the call id is the one that comes back through the proxy. */
async function ask(
  { client, model, callIdHeader }: Front,
  { prompt, stream, given }: { prompt: string; stream: boolean; given: { callId: string; sessionId: string } | null },
): Promise<Call> {
  const headers = given === null ? {} : { "x-litellm-call-id": given.callId, "x-litellm-trace-id": given.sessionId };
  const body = { model, user: `user of ${prompt}`, messages: [{ role: "user" as const, content: prompt }] };
  let answer = "";
  let response: Response;
  if (stream) {
    const result = await client.chat.completions.create({ ...body, stream: true }, { headers }).withResponse();
    for await (const chunk of result.data) answer += chunk.choices[0]?.delta.content ?? "";
    response = result.response;
  } else {
    const result = await client.chat.completions.create(body, { headers }).withResponse();
    answer = result.data.choices[0]?.message.content ?? "";
    response = result.response;
  }
  expect(answer).toBe(`Echo: ${prompt}`);
  const callId = response.headers.get(callIdHeader) ?? "";
  expect(callId).not.toBe("");
  if (given !== null) expect(callId).toBe(given.callId);
  return { prompt, callId, sessionId: given?.sessionId ?? null, answer, level: "DEFAULT" };
}

/** A call that the upstream refuses, which the client sees and the log keeps. */
async function askInVain({ client, model }: Front, prompt: string): Promise<Call> {
  const callId = randomUUID();
  const content = `${prompt} [[error-context]]`;
  const body = { model, user: `user of ${prompt}`, messages: [{ role: "user" as const, content }] };
  const failed = client.chat.completions.create(body, { headers: { "x-litellm-call-id": callId } });
  await expect(failed).rejects.toThrow(/maximum context length/);
  return { prompt: content, callId, sessionId: null, answer: "", level: "ERROR" };
}

/** All ways to ask, at once: plain and streamed, each with ids of the client's and without, and one that fails. */
async function askEveryWay(front: Front, canary: string): Promise<Call[]> {
  const ways = [true, false].flatMap((stream) => [true, false].map((chosen) => ({ stream, chosen })));
  return Promise.all([
    ...ways.map(({ stream, chosen }) =>
      ask(front, {
        prompt: `${canary} ${stream ? "streamed" : "plain"} ${chosen ? "with ids" : "without ids"}`,
        stream,
        given: chosen ? { callId: randomUUID(), sessionId: `session of ${canary}` } : null,
      }),
    ),
    askInVain(front, canary),
  ]);
}

/** Fails unless each call is in the project, right and once, and nothing else is. */
function expectLogged(langfuse: FakeLangfuse, { project, team }: { project: string; team: Team }, calls: Call[]): void {
  const spans = langfuse.project(project).spans;
  expect(spans.map((span) => span.metadata.litellm_call_id).toSorted()).toEqual(
    calls.map(({ callId }) => callId).toSorted(),
  );
  for (const call of calls) {
    const span = spans.find(({ metadata }) => metadata.litellm_call_id === call.callId);
    expect(span).toMatchObject({
      receivedCount: 1,
      input: { messages: [{ role: "user", content: call.prompt }] },
      sessionId: call.sessionId,
      level: call.level,
      metadata: { user_api_key_team_id: team.id },
    });
    expect(span?.userId).toBe(`user of ${call.prompt.replace(" [[error-context]]", "")}`);
    if (call.level === "ERROR") {
      expect(span?.statusMessage).toContain("maximum context length");
      continue;
    }
    expect(span?.output).toMatchObject({ role: "assistant", content: call.answer });
    expect(span?.usage?.input).toBeGreaterThan(0);
    expect(span?.usage?.output).toBeGreaterThan(0);
  }
}

/** The scenario: two teams behind one proxy. `frontOf` says how a client of the proxy calls with that team's key. */
async function expectTeamsApart(
  { sluice, langfuse }: { sluice: SluiceProcess; langfuse: FakeLangfuse },
  teams: Readonly<Record<"amber" | "blue", Team>>,
  frontOf: (project: "amber" | "blue") => Front,
): Promise<void> {
  const [amber, blue] = await Promise.all([
    askEveryWay(frontOf("amber"), "canary-amber"),
    askEveryWay(frontOf("blue"), "canary-blue"),
  ]);
  const projects = [
    { project: "amber", team: teams.amber, stranger: teams.blue, calls: amber },
    { project: "blue", team: teams.blue, stranger: teams.amber, calls: blue },
  ];
  await until("all records arrived", () =>
    projects.every(({ project, calls }) => langfuse.project(project).spans.length >= calls.length),
  );
  // What would come twice comes within this time.
  await sleep(1_000);
  for (const { project, team, stranger, calls } of projects) {
    expectLogged(langfuse, { project, team }, calls);
    for (const { callId } of calls) {
      const path = `/v1/logs/${callId}/deliveries`;
      await expect
        .poll(async () => (await request(sluice, path, { key: team.key })).text)
        .toMatch(/"state":"delivered"/);
      expect((await request(sluice, path, { key: stranger.key })).status).toBe(404);
    }
  }
}

test("behind Portkey's gateway, each team's calls arrive in its own Langfuse once, with the ids passed on", async ({
  sluice,
  openLangfuse,
  keepProxy,
}) => {
  const langfuse = await openLangfuse();
  const teams = { amber: await makeTeam(sluice, langfuse, "amber"), blue: await makeTeam(sluice, langfuse, "blue") };
  const portkey = keepProxy(await startPortkey());
  const frontOf = (project: "amber" | "blue"): Front => ({
    client: new OpenAI({
      apiKey: teams[project].key,
      baseURL: `${portkey.url}/v1`,
      maxRetries: 0,
      defaultHeaders: {
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": `${sluice.url}/v1`,
        // Portkey passes on no header that is not named here.
        "x-portkey-forward-headers": "x-litellm-call-id, x-litellm-trace-id",
      },
    }),
    model: "fake-model",
    callIdHeader: "x-litellm-call-id",
  });
  await expectTeamsApart({ sluice, langfuse }, teams, frontOf);
});

test("behind LiteLLM's proxy, each team's calls arrive in its own Langfuse once, with the ids passed on @long", async ({
  sluice,
  openLangfuse,
  keepProxy,
}) => {
  const langfuse = await openLangfuse();
  const teams = { amber: await makeTeam(sluice, langfuse, "amber"), blue: await makeTeam(sluice, langfuse, "blue") };
  const litellm = keepProxy(await startLitellm(sluice.url, { amber: teams.amber.key, blue: teams.blue.key }));
  const client = new OpenAI({ apiKey: litellmMasterKey, baseURL: `${litellm.url}/v1`, maxRetries: 0 });
  // Its own id is in `x-litellm-call-id`; the headers of what is behind it carry this prefix.
  const frontOf = (project: "amber" | "blue"): Front => ({
    client,
    model: project,
    callIdHeader: "llm_provider-x-litellm-call-id",
  });
  await expectTeamsApart({ sluice, langfuse }, teams, frontOf);
  expect(JSON.stringify(langfuse.requests)).not.toContain(litellmMasterKey);
});
