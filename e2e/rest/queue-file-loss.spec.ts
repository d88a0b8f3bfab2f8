import { copyFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { z } from "zod";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

const project = makeProject("loss");
const waitingCount = 60;

const Details = z.object({
  queue_file_damages: z.array(z.object({ at: z.string(), recovered: z.int(), lost: z.int().nullable() })),
});

/** What is done to the file of a running gateway. All of its records are in its memory or in files without a name. */
const losses: { name: string; lose(path: string): void }[] = [
  { name: "removed", lose: (path) => rmSync(path) },
  {
    name: "removed with all beside it",
    lose(path) {
      for (const ending of ["", "-wal", ".marker"]) rmSync(`${path}${ending}`, { force: true });
    },
  },
  {
    name: "replaced",
    lose(path) {
      copyFileSync(path, `${path}.old`);
      renameSync(`${path}.old`, path);
    },
  },
  {
    name: "replaced by something else",
    lose: (path) => (writeFileSync(`${path}.x`, "x"), renameSync(`${path}.x`, path)),
  },
  { name: "emptied", lose: (path) => truncateSync(path, 0) },
];

for (const { name, lose } of losses) {
  test(`a queue file that is ${name} under a running gateway with traffic loses no answered call`, async ({
    startSluice,
    fakes,
  }) => {
    test.setTimeout(120_000);
    const langfuse = await startFakeLangfuse({ projects: [project] });
    langfuse.setBehaviour({ status: 503 });
    const sluice = await startSluice({
      config: { ...fakeModelConfig(fakes), general_settings: { delivery: { retry_max_seconds: 1 } } },
      env: { SLUICE_QUEUE: "local" },
    });
    await mustAdmin(sluice, "/team/new", { team_id: "loss" });
    const callback = { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, project) };
    await mustAdmin(sluice, "/team/loss/callback", callback);
    const apiKey = await makeKey(sluice, { team_id: "loss" });
    const client = new OpenAI({ apiKey, baseURL: `${sluice.url}/v1`, maxRetries: 0 });
    const answered: string[] = [];
    let asked = 0;
    async function ask(): Promise<void> {
      const content = `call-${String((asked += 1))}.`;
      await client.chat.completions.create({ model: "fake-model", messages: [{ role: "user", content }] });
      answered.push(content);
    }
    for (let start = 0; start < waitingCount; start += 20) await Promise.all(Array.from({ length: 20 }, ask));

    const traffic = new AbortController();
    const clients = Array.from({ length: 4 }, async () => {
      while (!traffic.signal.aborted) {
        await ask().catch(() => undefined);
        await sleep(10);
      }
    });
    lose(join(sluice.dataDir, "queue", "records.sqlite"));
    await until("it was noticed", () => sluice.logs().includes("delivery thread ended and is started again"));
    await until("the copy is used", () => sluice.logs().includes("copied from the open file"));
    const before = answered.length;
    await until("calls are answered again", () => answered.length > before + 20);
    traffic.abort();
    await Promise.all(clients);

    langfuse.setBehaviour({});
    const missing = (): string[] => {
      const text = JSON.stringify(langfuse.project("loss").spans.map((span) => span.input));
      return answered.filter((content) => !text.includes(content));
    };
    await until("all answered calls arrived", () => missing().length === 0);
    const details = Details.parse(await mustAdmin(sluice, "/health/readiness/details"));
    expect(details.queue_file_damages).toMatchObject([{ lost: 0 }]);
    const metrics = await fetch(`${sluice.url}/metrics`, { headers: { authorization: `Bearer ${apiKey}` } });
    expect([await metrics.text()]).toEqual([expect.stringMatching(/^sluice_queue_file_damages 1$/m)]);
    await sluice.kill();
    await sluice.restart();
    await ask();
    await until("a call after a restart arrived", () => missing().length === 0);
    await langfuse.close();
  });
}
