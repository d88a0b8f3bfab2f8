import { z } from "zod";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { langfuseVars, makeProject, mustAdmin, until } from "../rest/admin.ts";
import { promptsAt, request } from "../rest/ask.ts";
import { ask, deliveriesStatus, expect, makeTeam, test } from "./gateways.ts";

const Effective = z.object({ callbacks: z.array(z.object({ callback_id: z.string() })) });

test("two gateways asked at once for the same backfill send everything once, and a disable leaves neither anything to send", async ({
  startGateways,
}) => {
  test.setTimeout(120_000);
  const [project, added] = [makeProject("kept"), makeProject("kept-added")];
  const langfuse = await startFakeLangfuse({ projects: [project, added] });
  const sluices = await startGateways(2, { config: { retention: { content_hours: 1 } } });
  const [first, second] = sluices;
  if (!first || !second) throw new Error("Two gateways were asked for.");
  const { teamId, key } = await makeTeam(first, { url: langfuse.url, project });
  const prompts = Array.from({ length: 60 }, (_, index) => `kept call ${String(index)}`);
  const answers = await Promise.all(prompts.map((prompt, index) => ask(index % 2 === 0 ? first : second, key, prompt)));
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  await until("all arrived", () => promptsAt(langfuse, project.id).length === prompts.length);

  const callback_vars = langfuseVars(langfuse.url, added);
  await mustAdmin(first, `/team/${teamId}/callback`, {
    ...{ callback_name: "langfuse", callback_vars, allow_multiple: true },
  });
  const { callbacks } = Effective.parse((await request(first, `/v1/logging/effective?key=${key}`)).body);
  const callback_id = callbacks.at(-1)?.callback_id;
  const backfill = (sluice: typeof first) => mustAdmin(sluice, "/v1/deliveries/backfill", { callback_id, hours: 1 });
  await Promise.all([backfill(first), backfill(second), backfill(second)]);
  await until("the added project has them", () => promptsAt(langfuse, added.id).length >= prompts.length);
  const recordId = answers[0]?.recordId ?? "";
  expect(await deliveriesStatus(second, key, recordId)).toBe(200);

  await mustAdmin(first, `/team/${teamId}/disable_logging`, {});
  expect(promptsAt(langfuse, added.id)).toEqual(prompts.toSorted());
  await mustAdmin(first, `/team/${teamId}/callback`, { callback_name: "langfuse", callback_vars });
  const again = Effective.parse((await request(second, `/v1/logging/effective?key=${key}`)).body).callbacks;
  for (const sluice of sluices) {
    const body = { callback_id: again[0]?.callback_id, hours: 1 };
    expect(await mustAdmin(sluice, "/v1/deliveries/backfill", body)).toMatchObject({ count: 0, skipped: 0 });
    expect(await deliveriesStatus(sluice, key, recordId)).toBe(404);
  }
  await langfuse.close();
});
