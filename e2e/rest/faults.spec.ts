import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { z } from "zod";
import { startPostgres } from "../../scripts/postgres.mjs";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { readRows, type SluiceProcess } from "../sluice-process.ts";
import { startTcpProxy } from "#testing/tcp-proxy.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

const project = makeProject("faults");

/** A team with its Langfuse project, and a client with its key. */
async function makeTeamClient(sluice: SluiceProcess, langfuseUrl: string): Promise<OpenAI> {
  await mustAdmin(sluice, "/team/new", { team_id: "faults" });
  const callback = { callback_name: "langfuse", callback_vars: langfuseVars(langfuseUrl, project) };
  await mustAdmin(sluice, "/team/faults/callback", callback);
  const apiKey = await makeKey(sluice, { team_id: "faults" });
  return new OpenAI({ apiKey, baseURL: `${sluice.url}/v1`, maxRetries: 0 });
}

/** Whether every gateway on a database has followed every change of policy. */
async function hasAppliedAll(databaseUrl: string): Promise<boolean> {
  const rows = await readRows(
    databaseUrl,
    `SELECT min("appliedVersion") >= (SELECT coalesce(max(version), 0) FROM "PolicyChange") AS applied FROM "Replica"`,
  );
  return z.tuple([z.object({ applied: z.boolean() })]).parse(rows)[0].applied;
}

const prompt = (content: string) => ({ model: "fake-model", messages: [{ role: "user" as const, content }] });

test("SIGTERM finishes what is in flight, delivers what is queued, and ends with 0", async ({ startSluice, fakes }) => {
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const sluice = await startSluice({ config: fakeModelConfig(fakes) });
  const client = await makeTeamClient(sluice, langfuse.url);
  const inFlight = client.chat.completions.create({ ...prompt("[[slow]] in flight"), stream: true });
  const stream = await inFlight;
  for (let i = 0; i < 20; i += 1) await client.chat.completions.create(prompt(`queued ${String(i)}`));
  const ending = sluice.stop();
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  expect(text).toContain("in flight");
  expect(await ending).toEqual({ code: 0, signal: null });
  expect(langfuse.project("faults").spans).toHaveLength(21);
  await langfuse.close();
});

test("a client that leaves in the middle of a stream is logged once with what it got", async ({
  startSluice,
  fakes,
}) => {
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const sluice = await startSluice({ config: fakeModelConfig(fakes) });
  const client = await makeTeamClient(sluice, langfuse.url);
  const controller = new AbortController();
  const stream = await client.chat.completions.create(
    { ...prompt("[[slow]] one two three four five six seven eight nine zulu"), stream: true },
    { signal: controller.signal },
  );
  for await (const chunk of stream) {
    if ((chunk.choices[0]?.delta.content ?? "") !== "") break;
  }
  controller.abort();
  await until("the record arrived", () => langfuse.project("faults").spans.length > 0);
  await sleep(1_500);
  const { spans } = langfuse.project("faults");
  expect(spans).toHaveLength(1);
  expect(spans[0]).toMatchObject({ level: "DEFAULT", metadata: { client_disconnected: true } });
  expect(JSON.stringify(spans[0]?.output)).toContain("Echo");
  expect(JSON.stringify(spans[0]?.output)).not.toContain("zulu");
  await until("the upstream was told", () => fakes.openai.calls.some((call) => call.aborted));
  await langfuse.close();
});

test("an upstream that breaks off in the middle of a stream sends an error frame and is logged once as failed", async ({
  startSluice,
  fakes,
}) => {
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const sluice = await startSluice({ config: fakeModelConfig(fakes) });
  const client = await makeTeamClient(sluice, langfuse.url);
  const stream = await client.chat.completions.create({ ...prompt("[[break-mid-stream]] hello"), stream: true });
  const reading = (async () => {
    for await (const chunk of stream) expect(chunk.object).toBe("chat.completion.chunk");
  })();
  await expect(reading).rejects.toThrow(/APIConnectionError/);
  await until("the record arrived", () => langfuse.project("faults").spans.length > 0);
  expect(langfuse.project("faults").spans).toHaveLength(1);
  expect(langfuse.project("faults").spans[0]).toMatchObject({ level: "ERROR" });
  await langfuse.close();
});

test("@long no answered call is lost in 20 rounds of kill -9 at random moments", async ({ startSluice, fakes }) => {
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const sluice = await startSluice({
    config: { ...fakeModelConfig(fakes), general_settings: { delivery: { retry_max_seconds: 1 } } },
  });
  const client = await makeTeamClient(sluice, langfuse.url);
  const answered = new Set<string>();
  for (let round = 0; round < 20; round += 1) {
    langfuse.setBehaviour(round % 2 === 0 ? { status: 503 } : { latencyMs: 50 });
    const stop = new AbortController();
    const clients = Array.from({ length: 12 }, async (_, who) => {
      for (let i = 0; i < 500 && !stop.signal.aborted; i += 1) {
        const content = `round ${String(round)} client ${String(who)} call ${String(i)}.`;
        await client.chat.completions.create(prompt(content)).then(
          () => answered.add(content),
          () => undefined,
        );
      }
    });
    await sleep(300 + Math.random() * 1_500);
    stop.abort();
    await sluice.kill();
    await Promise.all(clients);
    await sluice.restart();
  }
  langfuse.setBehaviour({});
  await until("nothing is missing", () => missing().length === 0, 120_000);
  expect(answered.size).toBeGreaterThan(100);

  function missing(): string[] {
    const text = JSON.stringify(langfuse.project("faults").spans.map((span) => span.input));
    return [...answered].filter((content) => !text.includes(content));
  }
  await langfuse.close();
});

test("@long while PostgreSQL is away the gateway says so, serves the keys it knows, and logs to nobody else", async ({
  startSluice,
  fakes,
}) => {
  const postgres = await startPostgres();
  const way = await startTcpProxy({ host: "127.0.0.1", port: Number(new URL(postgres.url).port) });
  const url = new URL(postgres.url);
  url.port = String(way.port);
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const sluice = await startSluice({
    databaseUrl: url.href,
    config: { ...fakeModelConfig(fakes), general_settings: { delivery: { retry_max_seconds: 1 } } },
  });
  const client = await makeTeamClient(sluice, langfuse.url);
  // What was just written comes back as news, which makes the gateway forget what it knew.
  await until("its own changes came back", () => hasAppliedAll(postgres.url));
  await client.chat.completions.create(prompt("before"));
  way.cut();
  await until("readiness says no", async () => (await fetch(`${sluice.url}/health/readiness`)).status === 503);
  await client.chat.completions.create(prompt("while it is away"));
  const unknown = await fetch(`${sluice.url}/v1/models`, {
    headers: { authorization: `Bearer sk-${randomBytes(16).toString("hex")}` },
  });
  expect(unknown.status).toBe(503);
  way.mend();
  await until("readiness says yes", async () => (await fetch(`${sluice.url}/health/readiness`)).status === 200, 30_000);
  await client.chat.completions.create(prompt("after"));
  await until("all three arrived", () => langfuse.project("faults").spans.length === 3, 30_000);
  await sluice.stop();
  way.close();
  await postgres.stop();
  await langfuse.close();
});
