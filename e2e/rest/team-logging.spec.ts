import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { expect, test } from "../fixtures.ts";
import { startFakeLangfuse, type FakeLangfuse } from "../fakes/langfuse.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

const projects = ["one", "two", "default", "global"].map(makeProject);
const [one, two, byDefault, global] = projects;
if (!one || !two || !byDefault || !global) throw new Error("There are four projects.");

/** Asks once plain and once streamed, as an application does. */
async function askTwice(client: OpenAI, prompt: string): Promise<string[]> {
  const common = { model: "fake-model", user: `user of ${prompt}` };
  const plain = await client.chat.completions.create({
    ...common,
    messages: [{ role: "user", content: `${prompt} plain` }],
  });
  const stream = await client.chat.completions.create({
    ...common,
    messages: [{ role: "user", content: `${prompt} streamed` }],
    stream: true,
  });
  let text = "";
  for await (const chunk of stream) {
    expect(chunk.usage ?? null, "usage that was asked for the log alone").toBeNull();
    text += chunk.choices[0]?.delta.content ?? "";
  }
  return [plain.choices[0]?.message.content ?? "", text];
}

function spansOf(langfuse: FakeLangfuse): Record<string, string[]> {
  return Object.fromEntries(
    projects.map(({ id }) => [id, langfuse.project(id).spans.map((span) => JSON.stringify(span.input))]),
  );
}

test("each team's calls arrive in its own Langfuse project, a disabled team's nowhere", async ({
  startSluice,
  fakes,
}) => {
  const langfuse = await startFakeLangfuse({ projects });
  const sluice = await startSluice({
    config: {
      model_list: [
        {
          model_name: "fake-model",
          litellm_params: {
            model: "openai/slow",
            api_base: fakes.openai.baseUrl,
            api_key: "sk-upstream",
            input_cost_per_token: 0.001,
            output_cost_per_token: 0.002,
          },
        },
      ],
      litellm_settings: {
        callbacks: ["langfuse"],
        default_team_settings: [
          {
            team_id: "team-four",
            success_callback: ["langfuse"],
            langfuse_public_key: "os.environ/LANGFUSE_PUB_4",
            langfuse_secret: "os.environ/LANGFUSE_SECRET_4",
            langfuse_host: langfuse.url,
          },
        ],
      },
    },
    env: {
      LANGFUSE_PUBLIC_KEY: global.publicKey,
      LANGFUSE_SECRET_KEY: global.secretKey,
      LANGFUSE_HOST: langfuse.url,
      LANGFUSE_PUB_4: byDefault.publicKey,
      LANGFUSE_SECRET_4: byDefault.secretKey,
    },
  });
  const client = (apiKey: string): OpenAI => new OpenAI({ apiKey, baseURL: `${sluice.url}/v1`, maxRetries: 0 });
  for (const [team, project] of [
    ["team/one", one],
    ["team two", two],
  ] as const) {
    await mustAdmin(sluice, "/team/new", { team_id: team, team_alias: `Alias of ${team}` });
    await mustAdmin(sluice, `/team/${team}/callback`, {
      callback_name: "langfuse",
      callback_type: "success",
      callback_vars: langfuseVars(langfuse.url, project),
    });
  }
  await mustAdmin(sluice, "/team/new", { team_id: "team-three" });
  const keyThree = await makeKey(sluice, { team_id: "team-three" });
  await mustAdmin(sluice, "/team/team-three/disable_logging", {});

  const keyOne = await makeKey(sluice, { team_id: "team/one", key_alias: "the key of one" });
  const keyTwo = await makeKey(sluice, { team_id: "team two" });
  const keyFour = await makeKey(sluice, { team_id: "team-four" });
  const keyNone = await makeKey(sluice, {});
  const answers = await Promise.all(
    [
      [keyOne, "canary-one"],
      [keyTwo, "canary-two"],
      [keyThree, "canary-three"],
      [keyFour, "canary-four"],
      [keyNone, "canary-none"],
    ].map(([key = "", prompt = ""]) => askTwice(client(key), prompt)),
  );
  expect(answers[2]).toEqual(["Echo: canary-three plain", "Echo: canary-three streamed"]);
  const failing = await client(keyThree)
    .chat.completions.create({ model: "no-such-model", messages: [{ role: "user", content: "canary-three failing" }] })
    .catch((error: unknown) => error);
  expect(failing).toBeInstanceOf(OpenAI.BadRequestError);

  await until("all records arrived", () => projects.every(({ id }) => langfuse.project(id).spans.length >= 2));
  await sleep(1_000);
  const arrived = spansOf(langfuse);
  for (const [id, canary] of [
    ["one", "canary-one"],
    ["two", "canary-two"],
    ["default", "canary-four"],
    ["global", "canary-none"],
  ] as const) {
    expect(arrived[id]).toHaveLength(2);
    for (const input of arrived[id] ?? []) expect(input).toContain(canary);
  }
  expect(JSON.stringify(langfuse.requests)).not.toContain("canary-three");
  for (const project of projects) {
    for (const span of langfuse.project(project.id).spans) expect(span.receivedCount).toBe(1);
  }

  await test.step("a span says who asked what, what was answered, and when", async () => {
    const [plain, streamed] = langfuse
      .project("one")
      .spans.toSorted((left, right) => JSON.stringify(left.input).localeCompare(JSON.stringify(right.input)));
    for (const span of [plain, streamed]) {
      expect(span).toMatchObject({
        model: "slow",
        userId: "user of canary-one",
        name: "litellm:the key of one",
        level: "DEFAULT",
      });
      expect(span?.usage).toMatchObject({ input: expect.any(Number), output: expect.any(Number) });
      expect(span?.usage?.input).toBeGreaterThan(0);
      const cost = (span?.usage?.input ?? 0) * 0.001 + (span?.usage?.output ?? 0) * 0.002;
      expect(Number(span?.cost?.total)).toBeCloseTo(cost, 9);
      expect(span?.metadata).toMatchObject({
        user_api_key_team_id: "team/one",
        user_api_key_team_alias: "Alias of team/one",
      });
    }
    expect(plain?.input).toEqual({ messages: [{ role: "user", content: "canary-one plain" }] });
    expect(plain?.output).toMatchObject({ role: "assistant", content: "Echo: canary-one plain" });
    expect(streamed?.output).toMatchObject({ role: "assistant", content: "Echo: canary-one streamed" });
    const [start, first, end] = [streamed?.startTime, streamed?.completionStartTime, streamed?.endTime].map((time) =>
      new Date(time ?? 0).getTime(),
    );
    // The fake waits 200 ms before its first byte and before each chunk.
    expect((first ?? 0) - (start ?? 0)).toBeGreaterThanOrEqual(190);
    expect((end ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(190);
  });

  await test.step("nothing of the disabled team is in any file", async () => {
    await sluice.stop();
    for (const file of await readdir(sluice.dataDir, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const bytes = await readFile(join(file.parentPath, file.name));
      expect(bytes.includes("canary-three"), `${file.name} holds a call of the disabled team`).toBe(false);
    }
    expect(sluice.logs()).not.toContain("canary");
  });
  await langfuse.close();
});

test("a team that is disabled in the middle of its calls is silent from the answer on, and after a restart", async ({
  startSluice,
  fakes,
}) => {
  const langfuse = await startFakeLangfuse({ projects });
  const sluice = await startSluice({
    config: {
      model_list: [
        {
          model_name: "fake-model",
          litellm_params: { model: "openai/x", api_base: fakes.openai.baseUrl, api_key: "sk-u" },
        },
      ],
      litellm_settings: { callbacks: ["local_files"] },
    },
  });
  await mustAdmin(sluice, "/team/new", { team_id: "gdpr" });
  await mustAdmin(sluice, "/team/gdpr/callback", {
    callback_name: "langfuse",
    callback_vars: langfuseVars(langfuse.url, one),
  });
  const key = await makeKey(sluice, { team_id: "gdpr" });
  const client = new OpenAI({ apiKey: key, baseURL: `${sluice.url}/v1`, maxRetries: 0 });
  const ask = (content: string) =>
    client.chat.completions.create({ model: "fake-model", messages: [{ role: "user", content }] }).withResponse();
  langfuse.setBehaviour({ status: 500 });
  for (let i = 0; i < 5; i += 1) {
    const { response } = await ask(`before ${String(i)}`);
    expect(response.headers.get("x-sluice-log")).toMatch(/^langfuse=queued; id=/);
  }
  await mustAdmin(sluice, "/team/gdpr/disable_logging", {});
  const requestsAtDisable = langfuse.requests.length;
  langfuse.setBehaviour({});
  const { response } = await ask("after");
  expect(response.headers.get("x-sluice-log")).toBe("disabled");
  await sluice.kill();
  await sluice.restart();
  await ask("after the restart");
  await sleep(2_500);
  expect(langfuse.requests.length).toBe(requestsAtDisable);
  expect(langfuse.project("one").spans).toHaveLength(0);

  await mustAdmin(sluice, "/team/gdpr/callback", {
    callback_name: "langfuse",
    callback_vars: langfuseVars(langfuse.url, two),
  });
  await ask("enabled again");
  await until("the next record arrived", () => langfuse.project("two").spans.length === 1);
  expect(JSON.stringify(langfuse.project("two").spans)).toContain("enabled again");
  await langfuse.close();
});
