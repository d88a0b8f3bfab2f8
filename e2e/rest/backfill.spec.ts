import { z } from "zod";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { admin, langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";
import { ask, promptsAt, request } from "./ask.ts";

/** On the engine of the run: `local`, or `database` where there is a `DATABASE_URL`. */

const Effective = z.object({
  callbacks: z.array(z.object({ callback_id: z.string(), callback_name: z.string() })),
});

/** The ids of the destinations that a key's calls go to, in their order. */
async function callbackIds(sluice: SluiceProcess, key: string): Promise<string[]> {
  const { body } = await request(sluice, `/v1/logging/effective?key=${key}`);
  return Effective.parse(body).callbacks.map(({ callback_id: id }) => id);
}

/** How many deliveries of a team there are in each state. */
async function states(sluice: SluiceProcess, teamId: string): Promise<Record<string, number>> {
  const { deliveries } = await mustAdmin(sluice, `/v1/deliveries?team_id=${teamId}&limit=500`);
  const counts: Record<string, number> = {};
  for (const { state } of z.array(z.object({ state: z.string() })).parse(deliveries)) {
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

test("a destination that is added after the calls gets those that are kept, once, as its policy has it, and no other's", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(120_000);
  const projects = ["first", "added", "redacted", "of-key", "neighbour"].map((id) => makeProject(id));
  const [first, added, redacted, ofKey, neighbour] = projects;
  if (!first || !added || !redacted || !ofKey || !neighbour) throw new Error("There are five projects.");
  const langfuse = await startFakeLangfuse({ projects });
  const sluice = await startSluice({ config: { ...fakeModelConfig(fakes), retention: { content_hours: 1 } } });
  const entry = (project: typeof first, vars: object = {}) => ({
    ...{ callback_name: "langfuse", allow_multiple: true },
    callback_vars: { ...langfuseVars(langfuse.url, project), ...vars },
  });
  for (const [teamId, project] of [
    ["search", first],
    ["other", neighbour],
  ] as const) {
    await mustAdmin(sluice, "/team/new", { team_id: teamId });
    await mustAdmin(sluice, `/team/${teamId}/callback`, entry(project));
  }
  const key = await makeKey(sluice, { team_id: "search" });
  const { allow_multiple: _all, ...keyEntry } = entry(ofKey);
  const keyWithOwn = await makeKey(sluice, { team_id: "search", metadata: { logging: [keyEntry] } });
  const otherKey = await makeKey(sluice, { team_id: "other" });

  const prompts = ["one", "two", "three"].map((text) => `${text} of search`);
  for (const content of prompts) await ask(sluice, key, { content });
  const optsOut = { "x-litellm-disable-callbacks": "datadog" };
  await ask(sluice, key, { content: "not for datadog", headers: optsOut });
  await ask(sluice, key, { content: "for nobody", "no-log": true });
  await ask(sluice, keyWithOwn, { content: "of a key with its own project" });
  await ask(sluice, otherKey, { content: "of the other team" });
  const all = [...prompts, "not for datadog"].toSorted();
  await until("the first project has its calls", () => promptsAt(langfuse, first.id).length === 4);
  await until("so do the key's and the neighbour's", () =>
    [ofKey, neighbour].every(({ id }) => promptsAt(langfuse, id).length === 1),
  );
  await until("all is settled", async () => (await states(sluice, "search"))["delivered"] === 5);

  // What is kept outlives the process.
  await sluice.restart();
  await mustAdmin(sluice, "/team/search/callback", entry(added));
  await mustAdmin(sluice, "/team/search/callback", entry(redacted, { turn_off_message_logging: "true" }));
  const [, addedId, redactedId] = await callbackIds(sluice, key);
  const backfill = (callbackId: string | undefined, more: object = {}) =>
    mustAdmin(sluice, "/v1/deliveries/backfill", { team_id: "search", callback_id: callbackId, hours: 24, ...more });
  expect(await backfill(addedId, { dry_run: true })).toMatchObject({ count: 4, skipped: 1, next_cursor: null });
  const counts = await Promise.all([backfill(addedId), backfill(addedId), backfill(redactedId)]);
  expect(counts.map(({ count }) => count).toSorted()).toEqual([0, 4, 4]);
  await until("the added project has them", () => promptsAt(langfuse, added.id).length === 4);
  await until("so has the redacted one", () => langfuse.project(redacted.id).spans.length === 4);
  await until("all is settled", async () => (await states(sluice, "search"))["delivered"] === 13);
  expect(await backfill(addedId)).toMatchObject({ count: 0 });
  expect(promptsAt(langfuse, added.id)).toEqual(all);
  const inRedacted = JSON.stringify(langfuse.project(redacted.id).spans);
  for (const content of all) expect(inRedacted).not.toContain(content);
  expect(promptsAt(langfuse, first.id)).toEqual(all);
  expect(promptsAt(langfuse, neighbour.id)).toEqual(["of the other team"]);

  // Under the same ids everywhere, and as of now: a key's own destination gets that key's calls alone.
  const idsAt = ({ id }: typeof first) => langfuse.project(id).spans.map(({ metadata }) => metadata["record_id"]);
  expect(idsAt(added).toSorted()).toEqual(idsAt(first).toSorted());
  const other = { team_id: "other", callback_id: addedId, hours: 24 };
  expect((await admin(sluice, "/v1/deliveries/backfill", other)).status).toBe(404);
  const refused = await request(sluice, "/v1/deliveries/backfill", { key: otherKey, body: other });
  expect(refused.status).toBe(401);

  // A team that was disabled has nothing left to send, also when it logs again.
  await mustAdmin(sluice, "/team/search/disable_logging", {});
  await mustAdmin(sluice, "/team/search/callback", entry(added));
  langfuse.reset();
  const [againId] = await callbackIds(sluice, key);
  expect(await backfill(againId)).toMatchObject({ count: 0, skipped: 0 });
  expect(await states(sluice, "search")).toEqual({});
  await ask(sluice, key, { content: "after it" });
  await until("the next call arrives", () => promptsAt(langfuse, added.id).length === 1);
  expect(promptsAt(langfuse, added.id)).toEqual(["after it"]);
  await langfuse.close();
});

test("where nothing is kept a backfill says so, and names the setting", async ({ sluice }) => {
  const project = makeProject("nothing-kept");
  await mustAdmin(sluice, "/team/new", { team_id: "nothing-kept" });
  const callback = { callback_name: "langfuse", callback_vars: langfuseVars("http://127.0.0.1:1", project) };
  await mustAdmin(sluice, "/team/nothing-kept/callback", callback);
  const key = await makeKey(sluice, { team_id: "nothing-kept" });
  const [callbackId] = await callbackIds(sluice, key);
  const answer = await admin(sluice, "/v1/deliveries/backfill", { callback_id: callbackId, hours: 1 });
  expect(answer.status).toBe(400);
  expect(JSON.stringify(answer.body)).toContain("retention.content_hours");
});
