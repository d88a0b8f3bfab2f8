import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { startFakeLangfuse, type FakeLangfuse } from "../fakes/langfuse.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { admin, langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

const projects = ["team-a", "team-b", "key", "second", "global"].map(makeProject);
const [teamA, teamB, ofKey, second, global] = projects;
if (!teamA || !teamB || !ofKey || !second || !global) throw new Error("There are five projects.");

// Servers are started and restarted here.
test.slow();

type Project = ReturnType<typeof makeProject>;

function clientOf(sluice: SluiceProcess, apiKey: string): OpenAI {
  return new OpenAI({ apiKey, baseURL: `${sluice.url}/v1`, maxRetries: 0 });
}

/** One call; throws what the client throws. */
async function ask(sluice: SluiceProcess, key: string, content: string): Promise<string> {
  const answer = await clientOf(sluice, key).chat.completions.create({
    model: "fake-model",
    messages: [{ role: "user", content }],
  });
  return answer.choices[0]?.message.content ?? "";
}

/** The message of the 401 that a call gets; throws where it gets none. */
async function refusalOf(sluice: SluiceProcess, key: string): Promise<string> {
  const error: unknown = await ask(sluice, key, "refused").catch((thrown: unknown) => thrown);
  if (error instanceof OpenAI.AuthenticationError) return error.message;
  throw new Error(`No 401: ${String(error)}`);
}

async function regenerate(sluice: SluiceProcess, key: string, fields: object = {}): Promise<string> {
  const { key: made } = await mustAdmin(sluice, `/key/${key}/regenerate`, fields);
  if (typeof made !== "string") throw new Error("/key/{key}/regenerate gave no key.");
  return made;
}

/** The prompts that arrived at each project, sorted. */
function arrived(langfuse: FakeLangfuse): Record<string, string[]> {
  const promptOf = (input: unknown): string => /"content":"([^"]*)"/.exec(JSON.stringify(input))?.[1] ?? "none";
  return Object.fromEntries(
    projects.map(({ id }) => [
      id,
      langfuse
        .project(id)
        .spans.map((span) => promptOf(span.input))
        .toSorted(),
    ]),
  );
}

function entry(langfuse: FakeLangfuse, project: Project): object {
  return { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, project) };
}

test("a key's life: made, used, blocked, unblocked, regenerated with grace, deleted, each from the next call on", async ({
  startSluice,
  fakes,
}) => {
  const sluice = await startSluice({ config: fakeModelConfig(fakes) });
  const first = await makeKey(sluice, { key_alias: "the application", max_budget: 5 });
  expect(await ask(sluice, first, "made")).toBe("Echo: made");

  await mustAdmin(sluice, "/key/block", { key: first });
  expect(await refusalOf(sluice, first)).toContain("Key is blocked. Update via `/key/unblock`");
  await mustAdmin(sluice, "/key/unblock", { key: first });
  expect(await ask(sluice, first, "unblocked")).toBe("Echo: unblocked");

  const next = await regenerate(sluice, first, { grace_period: "24h" });
  expect(await ask(sluice, next, "regenerated")).toBe("Echo: regenerated");
  expect(await ask(sluice, first, "in grace")).toBe("Echo: in grace");
  const { info } = await mustAdmin(sluice, `/key/info?key=${next}`);
  expect(info).toMatchObject({ key_alias: "the application", max_budget: 5, key_name: `sk-...${next.slice(-4)}` });
  await sluice.restart();
  expect(await ask(sluice, first, "in grace after a restart")).toBe("Echo: in grace after a restart");

  const short = await regenerate(sluice, next, { grace_period: "1s" });
  await until("the grace period is over", async () => {
    const error: unknown = await ask(sluice, next, "in grace for a second").catch((thrown: unknown) => thrown);
    return error instanceof OpenAI.AuthenticationError;
  });
  expect(await refusalOf(sluice, next)).toContain("Expired Key");
  expect(await ask(sluice, first, "its own grace goes on")).toBe("Echo: its own grace goes on");

  const last = await regenerate(sluice, short);
  for (const ended of [first, next, short]) {
    expect(await refusalOf(sluice, ended)).toContain("Invalid proxy server token passed");
  }
  expect(await ask(sluice, last, "last")).toBe("Echo: last");
  await mustAdmin(sluice, "/key/delete", { keys: [last] });
  expect(await refusalOf(sluice, last)).toContain("Invalid proxy server token passed");
});

test("each call is logged where its key belongs at that moment: key before team before global", async ({
  startSluice,
  fakes,
}) => {
  const langfuse = await startFakeLangfuse({ projects });
  const sluice = await startSluice({
    config: { ...fakeModelConfig(fakes), litellm_settings: { success_callback: ["langfuse"] } },
    env: {
      LANGFUSE_PUBLIC_KEY: global.publicKey,
      LANGFUSE_SECRET_KEY: global.secretKey,
      LANGFUSE_HOST: langfuse.url,
    },
  });
  for (const [team_id, project] of [
    ["team-a", teamA],
    ["team-b", teamB],
  ] as const) {
    await mustAdmin(sluice, "/team/new", { team_id });
    await mustAdmin(sluice, `/team/${team_id}/callback`, entry(langfuse, project));
  }
  const key = await makeKey(sluice, { team_id: "team-a" });
  await ask(sluice, key, "in team a");
  await mustAdmin(sluice, "/key/update", { key, team_id: "team-b" });
  await ask(sluice, key, "moved to team b");
  await mustAdmin(sluice, "/key/update", { key, metadata: { logging: [entry(langfuse, ofKey)] } });
  await ask(sluice, key, "with its own project");
  const rotated = await regenerate(sluice, key, { grace_period: "1h" });
  await ask(sluice, rotated, "own project, new key");
  await ask(sluice, key, "own project, old key");
  // What still waits for a callback when it is removed is suppressed.
  await until("the key's records arrived", () => langfuse.project(ofKey.id).spans.length === 3);
  await mustAdmin(sluice, "/key/update", { key: rotated, metadata: {} });
  await ask(sluice, rotated, "team b again");
  await until("the team's records arrived", () => langfuse.project(teamB.id).spans.length === 2);
  const removal = await fetch(`${sluice.url}/team/team-b/callback/langfuse`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${sluice.masterKey}` },
  });
  expect(removal.status).toBe(200);
  await ask(sluice, rotated, "global without a team callback");
  const both = await makeKey(sluice, {
    team_id: "team-a",
    metadata: { logging: [entry(langfuse, ofKey), entry(langfuse, second)] },
  });
  await ask(sluice, both, "two projects");

  const expected = {
    "team-a": ["in team a"],
    "team-b": ["moved to team b", "team b again"],
    key: ["own project, new key", "own project, old key", "two projects", "with its own project"],
    second: ["two projects"],
    global: ["global without a team callback"],
  };
  await until("all records arrived", () => Object.values(arrived(langfuse)).flat().length >= 9);
  await sleep(1_000);
  expect(arrived(langfuse)).toEqual(expected);
  for (const { id } of projects) {
    for (const span of langfuse.project(id).spans) expect(span.receivedCount).toBe(1);
  }
  await langfuse.close();
});

test("a deleted team's queue is silent, its keys are refused, and none of its secrets is kept", async ({
  startSluice,
  fakes,
}) => {
  const langfuse = await startFakeLangfuse({ projects });
  const sluice = await startSluice({ config: fakeModelConfig(fakes) });
  for (const team_id of ["going", "staying"]) {
    await mustAdmin(sluice, "/team/new", { team_id });
    const project = team_id === "going" ? teamA : teamB;
    await mustAdmin(sluice, `/team/${team_id}/callback`, entry(langfuse, project));
  }
  const going = await makeKey(sluice, { team_id: "going", metadata: { logging: [entry(langfuse, ofKey)] } });
  const plain = await makeKey(sluice, { team_id: "going" });
  const staying = await makeKey(sluice, { team_id: "staying" });
  langfuse.setBehaviour({ status: 500 });
  for (const key of [going, plain, staying]) await ask(sluice, key, "before");

  expect((await admin(sluice, "/team/delete", { team_ids: ["going", "nobody"] })).status).toBe(404);
  await ask(sluice, plain, "still there");
  await mustAdmin(sluice, "/team/delete", { team_ids: ["going"] });
  langfuse.setBehaviour({});
  for (const key of [going, plain]) {
    expect(await refusalOf(sluice, key)).toContain("Invalid proxy server token passed");
  }
  await ask(sluice, staying, "after");
  await until("the other team's records arrived", () => langfuse.project(teamB.id).spans.length === 2);
  await sluice.restart();
  await sleep(1_500);
  expect(arrived(langfuse)).toMatchObject({ "team-a": [], key: [], "team-b": ["after", "before"] });
  expect((await admin(sluice, "/team/info?team_id=going")).status).toBe(404);
  await langfuse.close();
});

test("a blocked team's keys are refused from the next call on, and let in again", async ({ sluice }) => {
  const { team_id } = await mustAdmin(sluice, "/team/new", {});
  const key = await makeKey(sluice, { team_id });
  await ask(sluice, key, "before");
  await mustAdmin(sluice, "/team/block", { team_id });
  expect(await refusalOf(sluice, key)).toContain(`Team=${String(team_id)} is blocked. Update via`);
  await mustAdmin(sluice, "/team/unblock", { team_id });
  expect(await ask(sluice, key, "after")).toBe("Echo: after");
});
