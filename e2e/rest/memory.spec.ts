import { startPostgres } from "../../scripts/postgres.mjs";
import { type FakeServer, readBody, sendJson, startFakeServer } from "../fakes/fake-server.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { expect, test } from "../fixtures.ts";
import type { SluiceOptions, SluiceProcess } from "../sluice-process.ts";
import { admin, langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

const megabyte = 1024 * 1024;

/** An upstream that keeps nothing and answers always the same. */
function startUpstream(): Promise<FakeServer> {
  const message = { role: "assistant", content: "Noted." };
  const answer = {
    ...{ id: "chatcmpl-1", object: "chat.completion", created: 1, model: "x" },
    choices: [{ index: 0, finish_reason: "stop", message }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  };
  return startFakeServer(async (request, response) => {
    await readBody(request);
    sendJson(response, { status: 200, body: answer });
  });
}

function configFor(upstream: FakeServer) {
  const params = { model: "openai/x", api_base: `${upstream.url}/v1`, api_key: "sk-u" };
  return { model_list: [{ model_name: "plain", litellm_params: params }] };
}

/** A team with its own project, and what asks with its key. */
async function makeTeam(sluice: SluiceProcess, url: string, project: ReturnType<typeof makeProject>) {
  await mustAdmin(sluice, "/team/new", { team_id: project.id });
  const callback = { callback_name: "langfuse", callback_vars: langfuseVars(url, project) };
  await mustAdmin(sluice, `/team/${project.id}/callback`, callback);
  const key = await makeKey(sluice, { team_id: project.id });
  return async (content: string): Promise<void> => {
    const answer = await fetch(`${sluice.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "plain", messages: [{ role: "user", content }] }),
    });
    await answer.text();
    expect(answer.status).toBe(200);
  };
}

async function residentBytes(sluice: SluiceProcess): Promise<number> {
  const answer = await fetch(`${sluice.url}/metrics`, { headers: { authorization: `Bearer ${sluice.masterKey}` } });
  return Number(/sluice_resident_memory_bytes (\d+)/.exec(await answer.text())?.[1]);
}

/** Does `work` a few at a time, as long as there is a next. */
async function repeat(parallel: number, hasNext: () => boolean, work: () => Promise<void>): Promise<void> {
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      while (hasNext()) await work();
    }),
  );
}

/** Where records wait, and what else a server of it is started with. */
async function openQueue(engine: "local" | "database") {
  const postgres = engine === "database" ? await startPostgres() : null;
  return {
    options: (nodeOptions: string): SluiceOptions => ({
      env: { NODE_OPTIONS: nodeOptions, SLUICE_QUEUE: engine },
      ...(postgres === null ? {} : { databaseUrl: postgres.url }),
    }),
    close: async () => postgres?.stop(),
  };
}

for (const engine of ["local", "database"] as const) {
  test(`@long bodies of 10 MB whose destination hangs leave memory where it was, and another team's logs arrive as ever (${engine})`, async ({
    startSluice,
  }) => {
    const queue = await openQueue(engine);
    const upstream = await startUpstream();
    const [stuck, other] = [makeProject("stuck-large"), makeProject("beside-large")];
    const hanging = await startFakeLangfuse({ projects: [stuck] });
    const langfuse = await startFakeLangfuse({ projects: [other] });
    hanging.setBehaviour({ hang: true });
    // A heap that has to fit: what is held for each call would end the process.
    const sluice = await startSluice({ config: configFor(upstream), ...queue.options("--max-old-space-size=768") });
    const askStuck = await makeTeam(sluice, hanging.url, stuck);
    const askOther = await makeTeam(sluice, langfuse.url, other);
    const large = "What do we know of otters? ".repeat(Math.ceil((10 * megabyte) / 27));
    let asked = 0;
    let slowestMs = 0;
    const highest: number[] = [];
    for (let half = 0; half < 2; half += 1) {
      let most = 0;
      let calls = 0;
      await repeat(
        2,
        () => calls < 40,
        async () => {
          calls += 1;
          const isFourth = calls % 4 === 0;
          await askStuck(`${String(calls)} ${large}`);
          most = Math.max(most, await residentBytes(sluice));
          if (!isFourth) return;
          asked += 1;
          const expected = asked;
          const startedMs = performance.now();
          await askOther(`small call ${String(expected)}`);
          await until("it arrives", () => langfuse.project(other.id).spans.length >= expected, 30_000);
          slowestMs = Math.max(slowestMs, performance.now() - startedMs);
        },
      );
      highest.push(most);
    }
    const [first = 0, second = 0] = highest;
    console.log(`resident, most of each half: ${highest.map(toMegabytes).join(", ")} MB`);
    console.log(`another team's slowest log: ${String(Math.round(slowestMs))} ms`);
    expect(second).toBeLessThan(first * 1.25 + 64 * megabyte);
    // 80 of them held as they are handed out would be 800 MB more.
    expect(Math.max(first, second)).toBeLessThan(1_200 * megabyte);
    expect(hanging.requests.length).toBeGreaterThan(0);
    const { body } = await admin(sluice, `/v1/deliveries?team_id=${stuck.id}&state=pending&limit=500`);
    expect(body["deliveries"]).toHaveLength(80);
    expect(await sluice.kill()).toEqual({ code: null, signal: "SIGKILL" });
    await Promise.all([hanging.close(), langfuse.close(), upstream.close()]);
    await queue.close();
  });

  test(`@long memory stays where it is while calls are logged for minutes (${engine})`, async ({ startSluice }) => {
    const queue = await openQueue(engine);
    const upstream = await startUpstream();
    const project = makeProject("steady");
    const langfuse = await startFakeLangfuse({ projects: [project] });
    const sluice = await startSluice({ config: configFor(upstream), ...queue.options("--max-old-space-size=256") });
    const ask = await makeTeam(sluice, langfuse.url, project);
    const text = "x".repeat(4_000);
    const highest: number[] = [];
    let calls = 0;
    for (let part = 0; part < 6; part += 1) {
      const endMs = performance.now() + 20_000;
      let most = 0;
      await repeat(
        8,
        () => performance.now() < endMs,
        async () => {
          calls += 1;
          const isSample = calls % 200 === 0;
          await ask(`${String(calls)} ${text}`);
          if (isSample) most = Math.max(most, await residentBytes(sluice));
        },
      );
      highest.push(most);
      langfuse.reset();
    }
    console.log(`${String(calls)} calls; most of each 20 s: ${highest.map(toMegabytes).join(", ")} MB`);
    // The first part is how it gets there.
    const [early, late] = [Math.max(...highest.slice(1, 3)), Math.max(...highest.slice(4))];
    expect(late).toBeLessThan(early * 1.1 + 24 * megabyte);
    expect(await sluice.stop()).toEqual({ code: 0, signal: null });
    await Promise.all([langfuse.close(), upstream.close()]);
    await queue.close();
  });
}

function toMegabytes(bytes: number): string {
  return String(Math.round(bytes / megabyte));
}
