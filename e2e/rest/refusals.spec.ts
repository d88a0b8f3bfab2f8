import { randomBytes } from "node:crypto";
import { z } from "zod";
import { parseJson, readBody, sendJson, startFakeServer } from "../fakes/fake-server.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";
import { ask, promptsAt } from "./ask.ts";

/** What a destination refuses of a batch, and what becomes of the rest of it. */

const Delivery = z.object({
  state: z.string(),
  status: z.number().nullable(),
  message: z.string().nullable(),
  tries: z.number(),
});

/** A team that logs to a Langfuse project, and what became of its logs. */
async function makeTeam(sluice: SluiceProcess, teamId: string, vars: Record<string, string>) {
  await mustAdmin(sluice, "/team/new", { team_id: teamId });
  await mustAdmin(sluice, `/team/${teamId}/callback`, { callback_name: "langfuse", callback_vars: vars });
  return {
    key: await makeKey(sluice, { team_id: teamId }),
    async inState(state: string) {
      const { deliveries } = await mustAdmin(sluice, `/v1/deliveries?team_id=${teamId}&limit=100`);
      return z
        .array(Delivery)
        .parse(deliveries)
        .filter((delivery) => delivery.state === state);
    },
  };
}

const Batch = z.object({ batch: z.array(z.object({ id: z.string(), type: z.string(), body: z.unknown() })) });

/** A Langfuse that knows the old batch alone, refuses what says so, and takes nothing before it is `open`. */
async function startJudge() {
  const taken: string[] = [];
  const seen = new Set<string>();
  const state = { isOpen: false };
  const server = await startFakeServer(async (request, response) => {
    const { batch } = Batch.parse(parseJson((await readBody(request)).toString()));
    if (!state.isOpen) {
      sendJson(response, { status: 503, body: {} });
      return;
    }
    const items = batch.map(({ id, type, body }) => {
      const text = `${type} ${JSON.stringify(body)}`;
      const isFirst = !seen.has(id);
      seen.add(id);
      if (text.includes("never this one")) return { id, status: 400, message: "too many teeth", text };
      if (text.includes("not at once") && isFirst) return { id, status: 500, message: "come back", text };
      return { id, status: 201, message: "", text };
    });
    const successes = items.filter(({ status }) => status === 201);
    taken.push(...successes.map(({ id, text }) => `${id} ${text}`));
    const errors = items.filter(({ status }) => status !== 201).map(({ text: _text, ...item }) => item);
    sendJson(response, {
      status: 207,
      body: { successes: successes.map(({ id, status }) => ({ id, status })), errors },
    });
  });
  return { ...server, taken, state };
}

test("of a batch that is answered with a 207, what was refused is dead, what failed comes again, and the rest is done", async ({
  sluice,
}) => {
  test.setTimeout(90_000);
  const judge = await startJudge();
  const project = makeProject("partial");
  const team = await makeTeam(sluice, "partial", { ...langfuseVars(judge.url, project), langfuse_wire: "ingestion" });
  const prompts = ["one of many", "never this one", "not at once", "another of many"];
  for (const content of prompts) await ask(sluice, team.key, { content });
  judge.state.isOpen = true;
  await until("all is settled", async () => (await team.inState("delivered")).length === 3, 40_000);
  expect(await team.inState("dead")).toMatchObject([
    { status: 400, message: expect.stringContaining("too many teeth") },
  ]);
  // Once each, and what came again did so under the ids that it had.
  const events = judge.taken.filter((text) => / generation-(create|update) /.test(text));
  for (const content of ["one of many", "another of many", "not at once"]) {
    const ids = events.filter((text) => text.includes(content)).map((text) => text.split(" ")[0]);
    expect(new Set(ids).size, content).toBe(ids.length);
    expect(ids.length, content).toBeGreaterThan(0);
  }
  expect(judge.taken.join("\n")).not.toContain("never this one");
  await judge.close();
});

test("a batch over the destination's limit is split, and a record over it arrives cut, with a mark that says so", async ({
  sluice,
}) => {
  test.setTimeout(90_000);
  const project = makeProject("limited");
  const bodyBytesMax = 60_000;
  const langfuse = await startFakeLangfuse({ projects: [project], bodyBytesMax });
  langfuse.setBehaviour({ down: true });
  const team = await makeTeam(sluice, "limited", langfuseVars(langfuse.url, project));
  const large = Array.from({ length: 5 }, (_, index) => `${String(index)} ${randomBytes(12_000).toString("base64")}`);
  for (const content of large) await ask(sluice, team.key, { content });
  // From here on they are claimed together: with some of them on their way, the rest would fit into one request.
  await until("each was tried", async () => (await team.inState("retrying")).length === large.length, 40_000);
  langfuse.setBehaviour({});
  await until("all arrived", () => langfuse.project(project.id).spans.length === large.length, 40_000);
  expect(promptsAt(langfuse, project.id)).toEqual(large.toSorted());
  expect(langfuse.requests.some(({ status }) => status === 413)).toBe(true);

  const huge = `start of the huge one ${randomBytes(150_000).toString("base64")}`;
  await ask(sluice, team.key, { content: huge });
  await until("it is settled", async () => (await team.inState("delivered")).length === large.length + 1, 40_000);
  const cut = langfuse
    .project(project.id)
    .spans.find((span) => JSON.stringify(span.input).includes("start of the huge"));
  expect(JSON.stringify(cut?.input)).toContain("truncated");
  expect(await team.inState("dead")).toEqual([]);
  await langfuse.close();
});

test("credentials that are refused use no tries; a log that waited for its whole age is dead with that answer, and a replay sends it", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(120_000);
  const project = makeProject("locked-out");
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const delivery = { age_max_hours: 5 / 3600, tries_max: 2, retry_min_seconds: 0.1, retry_max_seconds: 0.3 };
  const sluice = await startSluice({ config: { ...fakeModelConfig(fakes), general_settings: { delivery } } });
  langfuse.setBehaviour({ status: 401, body: { message: "Invalid credentials." } });
  const team = await makeTeam(sluice, "locked-out", langfuseVars(langfuse.url, project));
  await ask(sluice, team.key, { content: "locked out" });
  const tried = (): number => langfuse.requests.filter(({ method }) => method === "POST").length;
  await until("it was tried more often than a record may be", () => tried() > delivery.tries_max + 1);
  expect(await team.inState("retrying")).toMatchObject([{ status: 401, tries: 0 }]);
  await until("it is given up", async () => (await team.inState("dead")).length === 1);
  const [dead] = await team.inState("dead");
  expect(dead?.status).toBe(401);
  expect(dead?.message).toContain("credentials");
  langfuse.setBehaviour({});
  expect(await mustAdmin(sluice, "/v1/deliveries/replay", { team_id: "locked-out" })).toEqual({ count: 1 });
  await until("it arrives", () => promptsAt(langfuse, project.id).length === 1);
  await until("it is settled", async () => (await team.inState("delivered")).length === 1);
  expect(await team.inState("dead")).toEqual([]);
  await langfuse.close();
});
