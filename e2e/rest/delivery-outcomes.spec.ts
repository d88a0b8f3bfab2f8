import { randomUUID } from "node:crypto";
import OpenAI from "openai";
import { startPostgres } from "../../scripts/postgres.mjs";
import type { FakeBehaviour } from "../fakes/langfuse-control.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { admin, langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

/** What a destination may answer, and what becomes of the log of a call then. */

type Fake = Awaited<ReturnType<typeof startFakeLangfuse>>;

/** A team of its own on a server, with a Langfuse project at a fake of its own. */
async function prepare(sluice: SluiceProcess) {
  const id = `outcome-${randomUUID()}`;
  const project = makeProject(id);
  const langfuse = await startFakeLangfuse({ projects: [project] });
  await mustAdmin(sluice, "/team/new", { team_id: id });
  const callback = { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, project) };
  await mustAdmin(sluice, `/team/${id}/callback`, callback);
  const apiKey = await makeKey(sluice, { team_id: id });
  const client = new OpenAI({ apiKey, baseURL: `${sluice.url}/v1`, maxRetries: 0 });
  return {
    teamId: id,
    langfuse,
    ask: (content: string) =>
      client.chat.completions.create({ model: "fake-model", messages: [{ role: "user", content }] }),
    /** Under how many ids a prompt arrived. */
    ids: (content: string) => idsOf(langfuse, id, content).size,
    /** The team's deliveries in a state. */
    async inState(state: string): Promise<number> {
      const answer = await admin(sluice, `/v1/deliveries?team_id=${id}&state=${state}&limit=100`);
      return Array.isArray(answer.body["deliveries"]) ? answer.body["deliveries"].length : -1;
    },
  };
}

function idsOf(langfuse: Fake, projectId: string, content: string): Set<string> {
  const { spans } = langfuse.project(projectId);
  return new Set(
    spans.flatMap((span) =>
      JSON.stringify(span.input).includes(`"${content}"`) ? [`${span.traceId} ${span.spanId}`] : [],
    ),
  );
}

const passing: [string, FakeBehaviour][] = [
  ["429 with Retry-After", { status: 429, headers: { "retry-after": "1" }, times: 1 }],
  ["500", { status: 500, times: 1 }],
  ["an answer that was lost on its way", { loseAnswer: true, times: 1 }],
  ["a connection that breaks", { down: true, times: 1 }],
  ["401, until the keys are right", { status: 401, times: 1 }],
];
for (const [name, behaviour] of passing) {
  test(`${name}: the log arrives after that, under one id, and is counted once`, async ({ sluice }) => {
    const team = await prepare(sluice);
    team.langfuse.setBehaviour(behaviour);
    await team.ask("hello");
    await until("it arrived", () => team.ids("hello") > 0, 40_000);
    await until("it is settled", async () => (await team.inState("delivered")) === 1, 40_000);
    expect(team.ids("hello")).toBe(1);
    expect(await team.inState("pending")).toBe(0);
    expect(await team.inState("dead")).toBe(0);
    await team.langfuse.close();
  });
}

test("a destination that hangs holds up no other team's logs", async ({ sluice }) => {
  const [stuck, other] = [await prepare(sluice), await prepare(sluice)];
  stuck.langfuse.setBehaviour({ hang: true });
  await stuck.ask("stuck");
  for (let call = 0; call < 5; call += 1) {
    await other.ask(`call ${String(call)}`);
    await until("it arrived", () => other.ids(`call ${String(call)}`) === 1);
  }
  expect(await stuck.inState("pending")).toBe(1);
  await stuck.langfuse.close();
  await other.langfuse.close();
});

test("a record that a destination refuses is dead with its words, and a replay sends it under the same id", async ({
  sluice,
}) => {
  const team = await prepare(sluice);
  team.langfuse.setBehaviour({ status: 400, body: { message: "We do not like this one." } });
  await team.ask("refused");
  await until("it is dead", async () => (await team.inState("dead")) === 1, 40_000);
  const { body } = await admin(sluice, `/v1/deliveries?team_id=${team.teamId}&state=dead`);
  expect(JSON.stringify(body)).toContain("We do not like this one.");
  team.langfuse.setBehaviour({ loseAnswer: true, times: 1 });
  const replayed = await mustAdmin(sluice, "/v1/deliveries/replay", { team_id: team.teamId });
  expect(replayed).toEqual({ count: 1 });
  await until("it is delivered", async () => (await team.inState("delivered")) === 1, 40_000);
  expect(team.ids("refused")).toBe(1);
  expect(await mustAdmin(sluice, "/v1/deliveries/replay", { team_id: team.teamId })).toEqual({ count: 0 });
  await team.langfuse.close();
});

for (const engine of ["local", "database"] as const) {
  test(`@long a destination that is away for a minute gets all of 1,000 calls afterwards, and the counters agree (${engine})`, async ({
    startSluice,
    fakes,
  }) => {
    const postgres = engine === "database" ? await startPostgres() : null;
    const sluice = await startSluice({
      config: fakeModelConfig(fakes),
      env: { SLUICE_QUEUE: engine },
      ...(postgres === null ? {} : { databaseUrl: postgres.url }),
    });
    const team = await prepare(sluice);
    team.langfuse.setBehaviour({ down: true });
    const awayUntilMs = performance.now() + 60_000;
    const contents = Array.from({ length: 1_000 }, (_, call) => `call ${String(call)}.`);
    const waiting = [...contents];
    const clients = Array.from({ length: 8 }, async () => {
      for (let content = waiting.pop(); content !== undefined; content = waiting.pop()) await team.ask(content);
    });
    await Promise.all(clients);
    expect(await counts(sluice)).toMatchObject({ pending: 1_000, delivered: 0, dead: 0 });
    await until("the minute is over", () => performance.now() > awayUntilMs, 90_000);
    team.langfuse.setBehaviour({});
    await until("all are delivered", async () => (await counts(sluice)).delivered === 1_000, 180_000);
    expect(contents.filter((content) => team.ids(content) !== 1)).toEqual([]);
    expect(await counts(sluice)).toEqual({ pending: 0, delivered: 1_000, dead: 0, suppressed: 0 });
    expect(await sluice.stop()).toEqual({ code: 0, signal: null });
    await postgres?.stop();
    await team.langfuse.close();
  });
}

/** The deliveries to Langfuse in each state, from the metrics. */
async function counts(sluice: SluiceProcess) {
  const text = await metrics(sluice);
  const count = (state: string): number =>
    Number(new RegExp(`sluice_deliveries\\{callback="langfuse",state="${state}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
  return {
    pending: count("pending"),
    delivered: count("delivered"),
    dead: count("dead"),
    suppressed: count("suppressed"),
  };
}

async function metrics(sluice: SluiceProcess): Promise<string> {
  const answer = await fetch(`${sluice.url}/metrics`, { headers: { authorization: `Bearer ${sluice.masterKey}` } });
  return answer.text();
}
