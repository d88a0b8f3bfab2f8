import { expect, fakeModelConfig, test, type Fakes } from "../fixtures.ts";
import { startFakeAnthropic, type FakeAnthropic } from "../fakes/anthropic.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { startSluiceProcess, type SluiceProcess } from "../sluice-process.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";
import { comparable } from "./comparable.ts";
import { everyCall, type Target } from "./every-call.ts";
import { frameworkCalls } from "./framework-calls.ts";

/** One model on each wire, and one whose public name has slashes. */
function surfaceConfig(fakes: Fakes, anthropic: FakeAnthropic): Record<string, unknown> {
  const params = { model: "openai/fake-model", api_base: fakes.openai.baseUrl, api_key: "sk-fake-upstream" };
  const claude = { model: "anthropic/claude-fake", api_base: anthropic.url, api_key: "sk-ant-fake" };
  return fakeModelConfig(fakes, [
    { model_name: "team/fake/model", litellm_params: params },
    { model_name: "claude-fake", litellm_params: claude },
  ]);
}

/** One server for the file: its tests leave each other's teams and keys alone. */
let sluice: SluiceProcess;
let anthropic: FakeAnthropic;
test.beforeAll(async ({ fakes }) => {
  test.setTimeout(90_000);
  anthropic = await startFakeAnthropic();
  sluice = await startSluiceProcess({ config: surfaceConfig(fakes, anthropic) });
});
test.afterEach(({}, { status, expectedStatus }) => {
  if (status !== expectedStatus) console.error(`${sluice.url} printed:\n${sluice.logs()}`);
});
test.afterAll(async () => {
  await sluice.dispose();
  await anthropic.close();
});

async function makeTeam(teamId: string, vars: object): Promise<string> {
  await mustAdmin(sluice, "/team/new", { team_id: teamId, team_alias: `Alias of ${teamId}` });
  await mustAdmin(sluice, `/team/${teamId}/callback`, { callback_name: "langfuse", callback_vars: vars });
  return makeKey(sluice, {
    team_id: teamId,
    key_alias: `key of ${teamId}`,
    user_id: "user-1",
    metadata: { tags: ["t"] },
  });
}

const through = (key: string): Target => ({
  openaiUrl: `${sluice.url}/v1`,
  anthropicUrl: sluice.url,
  key,
});

const past = ({ openai }: Fakes): Target => ({
  openaiUrl: openai.baseUrl,
  anthropicUrl: anthropic.url,
  key: "sk-direct",
});

test("official clients get through Sluice what they get from the upstream, field by field, on every route", async ({
  fakes,
}) => {
  const key = await makeKey(sluice, {});
  const direct = past(fakes);
  for (const { name, run } of everyCall) {
    for (const prompt of ["plain", "[[tools]] plain", "[[error-mid-stream]] a b c d e f", "[[error-429]]"]) {
      const expected = await run(direct, prompt);
      const received = await run(through(key), prompt);
      expect.soft(comparable(received), `${name}: ${prompt}`).toEqual(comparable(expected));
    }
  }
});

test("LangChain and the Vercel AI SDK get through Sluice what they get from the upstream, field by field", async ({
  fakes,
}) => {
  const target = through(await makeKey(sluice, {}));
  const direct = past(fakes);
  const prompts = {
    plain: /plain|0\.\d/,
    "[[tools]] plain": /Paris|0\.\d/,
    "[[error-mid-stream]] a b c d e f": /server had an error|Overloaded|Echo|0\.\d/,
    "[[error-400-echo]] quoted": /was flagged|is refused/,
    "[[error-429]]": /429/,
    "[[error-context]]": /maximum context length|prompt is too long/,
  };
  for (const { name, run } of frameworkCalls) {
    for (const [prompt, shows] of Object.entries(prompts)) {
      const expected = comparable(await run(direct, prompt));
      expect.soft(JSON.stringify(expected), `${name}, asked directly: ${prompt}`).toMatch(shows);
      expect.soft(comparable(await run(target, prompt)), `${name}: ${prompt}`).toEqual(expected);
    }
  }
});

test("every route logs each outcome once, with the same attribution and the usage of the upstream", async () => {
  const project = makeProject("surface");
  const sink = await startFakeLangfuse({ projects: [project] });
  const key = await makeTeam("surface", langfuseVars(sink.url, project));
  const prompts = ["plain", "[[error-400-echo]] quoted", "[[break-mid-stream]] a b c d e f"];
  for (const { run } of everyCall) for (const prompt of prompts) await run(through(key), prompt);
  const asked = everyCall.length * prompts.length;
  await until("all arrived", () => sink.project("surface").spans.length >= asked);
  const { spans } = sink.project("surface");
  expect(spans).toHaveLength(asked);
  expect(spans.every(({ receivedCount }) => receivedCount === 1)).toBe(true);
  for (const { name, callType } of everyCall) {
    const own = spans.filter(({ traceName }) => traceName === `litellm-${callType}`);
    expect(own.length, name).toBeGreaterThanOrEqual(prompts.length);
    expect(
      own.some(({ level }) => level === "ERROR"),
      name,
    ).toBe(true);
    const answered = own.find(({ level }) => level === "DEFAULT");
    expect(answered?.output ?? (callType === "aembedding" ? "vectors" : null), name).not.toBeNull();
  }
  const attribution = spans.map(({ userId, tags, metadata }) =>
    JSON.stringify([
      userId,
      tags.filter((tag) => !tag.startsWith("User-Agent")),
      metadata.user_api_key_alias,
      metadata.user_api_key_team_id,
      metadata.user_api_key_team_alias,
      metadata.user_api_key_user_id,
    ]),
  );
  expect([...new Set(attribution)]).toHaveLength(1);
  expect(attribution[0]).toContain("Alias of surface");
  const usageOf = (callType: string) =>
    spans.find(({ traceName, level }) => traceName === `litellm-${callType}` && level === "DEFAULT")?.usage;
  expect(usageOf("aresponses")).toMatchObject({ total: 15 });
  expect(usageOf("anthropic_messages")).toMatchObject({ total: 18 });
  expect(usageOf("atext_completion")).toMatchObject({ total: 12 });
  expect(usageOf("aimage_generation")).toMatchObject({ total: 110 });
  expect(usageOf("atranscription")).toMatchObject({ total: 18 });
  await sink.close();
});

test("all paths of LiteLLM answer, and a model's name in a path may hold slashes", async () => {
  const ask = async (path: string, body?: object): Promise<{ status: number; body: string }> => {
    const response = await fetch(`${sluice.url}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${sluice.masterKey}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.text() };
  };
  const chat = { messages: [{ role: "user", content: "hi" }] };
  const bodies = { "chat/completions": chat, completions: { prompt: "hi" }, embeddings: { input: "hi" } };
  for (const [path, body] of Object.entries(bodies)) {
    for (const prefix of ["/engines/team/fake/model/", "/openai/deployments/team/fake/model/"]) {
      const answer = await ask(`${prefix}${path}?api-version=2024-10-21`, body);
      expect(answer, `${prefix}${path}`).toMatchObject({ status: 200, body: expect.stringContaining("fake-model") });
    }
    for (const prefix of ["/v1/", "/"]) {
      expect((await ask(`${prefix}${path}`, { model: "fake-model", ...body })).status).toBe(200);
      expect((await ask(`${prefix}${path}`, body)).status).toBe(400);
    }
  }
  expect(await ask("/v1/models/team/fake/model")).toMatchObject({
    status: 200,
    body: expect.stringContaining('"id":"team/fake/model"'),
  });
  expect((await ask("/models/no-such-model")).status).toBe(404);
  const otherWire = await ask("/v1/messages", { model: "fake-model", max_tokens: 5, ...chat });
  expect(otherWire).toMatchObject({ status: 200, body: expect.stringContaining('"type":"message"') });
  const wrongWire = await ask("/v1/embeddings", { model: "claude-fake", input: "hi" });
  expect(wrongWire).toMatchObject({ status: 400, body: expect.stringContaining("cannot answer") });
  expect((await ask("/v1/messages", { model: "nothing", ...chat })).body).toContain("Invalid model name");
});
