import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import OpenAI from "openai";
import { z } from "zod";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { makeDatabase, readRows, runSql, type SluiceProcess } from "../sluice-process.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

const project = makeProject("waits");
const yearsMs = 315_360_000_000;

async function makeTeamClient(sluice: SluiceProcess, langfuseUrl: string): Promise<OpenAI> {
  await mustAdmin(sluice, "/team/new", { team_id: "waits" });
  const callback = { callback_name: "langfuse", callback_vars: langfuseVars(langfuseUrl, project) };
  await mustAdmin(sluice, "/team/waits/callback", callback);
  const apiKey = await makeKey(sluice, { team_id: "waits" });
  return new OpenAI({ apiKey, baseURL: `${sluice.url}/v1`, maxRetries: 0 });
}

const prompt = (content: string) => ({ model: "fake-model", messages: [{ role: "user" as const, content }] });

const Page = z.object({
  deliveries: z.array(
    z.object({ record_id: z.string(), callback_id: z.string(), state: z.string(), due_at: z.string().nullable() }),
  ),
});

async function list(sluice: SluiceProcess): Promise<z.output<typeof Page>["deliveries"]> {
  return Page.parse(await mustAdmin(sluice, "/v1/deliveries?team_id=waits")).deliveries;
}

test("a destination that asks for ten years gets an hour, and a replay sends what waits at once", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(90_000);
  const langfuse = await startFakeLangfuse({ projects: [project] });
  langfuse.setBehaviour({ status: 503, headers: { "retry-after": "315360000" } });
  const sluice = await startSluice({ config: fakeModelConfig(fakes) });
  const client = await makeTeamClient(sluice, langfuse.url);
  await client.chat.completions.create(prompt("first"));
  await until("the destination asked for ten years", async () => (await list(sluice))[0]?.state === "retrying");
  // These wait for the circuit alone.
  for (const name of ["second", "third"]) await client.chat.completions.create(prompt(name));
  const waiting = await list(sluice);
  expect(waiting).toHaveLength(3);
  for (const { due_at: dueAt } of waiting) expect(Date.parse(dueAt ?? "")).toBeLessThan(Date.now() + 3_600_001);
  langfuse.setBehaviour({});
  const first = waiting.at(-1);
  const selections = [
    { record_ids: ["another"] },
    { error_class: "refused_credentials" },
    { to: "2020-01-01T00:00:00Z" },
    { record_ids: [first?.record_id], error_class: "destination_failed", callback_id: first?.callback_id },
  ];
  const counts: unknown[] = [];
  for (const selection of selections) {
    counts.push((await mustAdmin(sluice, "/v1/deliveries/replay", { team_id: "waits", ...selection })).count);
  }
  expect(counts).toEqual([0, 0, 0, 1]);
  await until("all arrived", () => langfuse.project("waits").spans.length === 3);
  await langfuse.close();
});

test("records that an earlier version stored for the year 2036 are sent after a start", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(90_000);
  const langfuse = await startFakeLangfuse({ projects: [project] });
  langfuse.setBehaviour({ status: 503 });
  const database = await makeDatabase(process.env.DATABASE_URL);
  const shared = database === null ? {} : { databaseUrl: database.url };
  const sluice = await startSluice({ config: fakeModelConfig(fakes), ...shared });
  const client = await makeTeamClient(sluice, langfuse.url);
  for (let index = 0; index < 5; index += 1) await client.chat.completions.create(prompt(`call ${String(index)}`));
  await until("one was tried", async () => (await list(sluice)).some(({ state }) => state === "retrying"));
  await sluice.kill();
  const dueAtMs = Date.now() + yearsMs;
  if (database === null) {
    const file = new DatabaseSync(join(sluice.dataDir, "queue", "records.sqlite"));
    file.prepare("UPDATE delivery SET due_at_ms = ?").run(dueAtMs);
    file.close();
  } else {
    await runSql(database.url, `UPDATE queue_delivery SET due_at_ms = ${String(dueAtMs)}`);
    expect(await readRows(database.url, "SELECT DISTINCT state FROM queue_delivery")).toEqual([{ state: 0 }]);
  }
  langfuse.setBehaviour({});
  await sluice.restart();
  await until("all arrived", () => langfuse.project("waits").spans.length === 5, 60_000);
  // The gateway uses the database until it ends.
  await sluice.dispose();
  await database?.drop();
  await langfuse.close();
});
