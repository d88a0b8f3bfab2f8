import { randomBytes } from "node:crypto";
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import OpenAI from "openai";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

const project = makeProject("damage");
const pageBytes = 8192;
const count = 300;

/** What is done to the file, and how many of the waiting records must arrive all the same. */
type Damage = { name: string; after: "stop" | "kill"; damage(path: string): void; atLeast: number; says: string };

function overwrite(path: string, position: (size: number) => number, bytes: number): void {
  const file = readFileSync(path);
  randomBytes(bytes).copy(file, position(file.length));
  writeFileSync(path, file);
}

const moved = "moved aside";
const damages: Damage[] = [
  { name: "page 1", after: "stop", damage: (path) => overwrite(path, () => 0, pageBytes), atLeast: count, says: moved },
  {
    name: "the middle",
    after: "stop",
    damage: (path) => overwrite(path, (size) => Math.floor(size / 2), 3 * pageBytes),
    atLeast: count / 2,
    says: moved,
  },
  {
    name: "the second half",
    after: "stop",
    damage: (path) => truncateSync(path, Math.floor(readFileSync(path).length / 2)),
    atLeast: count / 4,
    says: moved,
  },
  { name: "everything", after: "stop", damage: (path) => truncateSync(path, 0), atLeast: 0, says: "are lost" },
  { name: "the file", after: "stop", damage: (path) => rmSync(path), atLeast: 0, says: "are lost" },
  { name: "all but the log", after: "kill", damage: (path) => truncateSync(path, 0), atLeast: count / 2, says: moved },
  {
    name: "another program's",
    after: "stop",
    damage: (path) => writeFileSync(path, "no queue\n".repeat(3_000)),
    atLeast: 0,
    says: moved,
  },
];

for (const after of ["stop", "kill"] as const) {
  test(`a queue file damaged after a ${after} gives back what can be read, and says what is lost`, async ({
    startSluice,
    fakes,
  }) => {
    test.setTimeout(240_000);
    const langfuse = await startFakeLangfuse({ projects: [project] });
    langfuse.setBehaviour({ status: 503 });
    const sluice = await startSluice({
      config: { ...fakeModelConfig(fakes), general_settings: { delivery: { retry_max_seconds: 1 } } },
      env: { SLUICE_QUEUE: "local" },
    });
    await mustAdmin(sluice, "/team/new", { team_id: "damage" });
    const callback = { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, project) };
    await mustAdmin(sluice, "/team/damage/callback", callback);
    const apiKey = await makeKey(sluice, { team_id: "damage" });
    const client = new OpenAI({ apiKey, baseURL: `${sluice.url}/v1`, maxRetries: 0 });
    const ask = (content: string) =>
      client.chat.completions.create({ model: "fake-model", messages: [{ role: "user", content }] });
    for (let start = 0; start < count; start += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => ask(`waiting-${String(start + index)}.`)));
    }
    const queueDir = join(sluice.dataDir, "queue");
    const marker = join(queueDir, "records.sqlite.marker");
    await until("the marker counts all", () => readFileSync(marker, "utf8").includes(`"pending":${String(count)}`));
    if (after === "stop") await sluice.stop();
    else await sluice.kill();
    const kept = join(sluice.dataDir, "kept");
    cpSync(queueDir, kept, { recursive: true });
    langfuse.setBehaviour({});

    for (const { name, damage, atLeast, says } of damages.filter((one) => one.after === after)) {
      rmSync(queueDir, { recursive: true });
      cpSync(kept, queueDir, { recursive: true });
      damage(join(queueDir, "records.sqlite"));
      langfuse.reset();
      const before = sluice.logs().length;
      await sluice.restart();
      const arrived = (): Set<string> => {
        const text = JSON.stringify(langfuse.project("damage").spans.map((span) => span.input));
        return new Set([...text.matchAll(/waiting-\d+\./g)].map(([found]) => found));
      };
      await ask(`new after ${name}`);
      await until(`the new call after ${name} arrived`, () =>
        JSON.stringify(langfuse.project("damage").spans.map((span) => span.input)).includes(`new after ${name}`),
      );
      await until(`what is left after ${name} arrived`, () => arrived().size >= atLeast);
      const printed = sluice.logs().slice(before);
      expect(printed, name).toContain(says);
      if (says === moved) {
        const asides = readdirSync(queueDir).filter((file) => /damaged-[\dTZ-]+$/.test(file));
        expect(asides, name).toHaveLength(1);
      } else expect(printed, name).toContain(`"lost":${String(count)}`);
      await sluice.stop();
    }
    await langfuse.close();
  });
}
