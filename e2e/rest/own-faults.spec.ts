import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import OpenAI from "openai";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { expect, fakeModelConfig, type Fakes, test } from "../fixtures.ts";
import type { SluiceOptions, SluiceProcess } from "../sluice-process.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

/** What breaks under a gateway: its clock, its disk, its delivery thread. Which engine it has does not matter for that. */

const project = makeProject("own-faults");
const hook = pathToFileURL(join(import.meta.dirname, "..", "own-faults.mjs")).href;

type Faults = { clockMs?: number; isDiskFull?: boolean; endsThread?: boolean };

/** A gateway with a team that logs to a Langfuse, and a switch for what is broken under it. */
async function prepare(start: (options: SluiceOptions) => Promise<SluiceProcess>, fakes: Fakes) {
  const folder = mkdtempSync(join(tmpdir(), "sluice-faults-"));
  const file = join(folder, "faults.json");
  function setFaults(faults: Faults): void {
    writeFileSync(`${file}.new`, JSON.stringify(faults));
    renameSync(`${file}.new`, file);
  }
  setFaults({});
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const sluice = await start({
    config: { ...fakeModelConfig(fakes), general_settings: { delivery: { retry_max_seconds: 2 } } },
    env: { NODE_OPTIONS: `--import ${hook}`, SLUICE_TEST_FAULTS: file, SLUICE_QUEUE: "local" },
  });
  await mustAdmin(sluice, "/team/new", { team_id: "own-faults" });
  const callback = { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, project) };
  await mustAdmin(sluice, "/team/own-faults/callback", callback);
  const apiKey = await makeKey(sluice, { team_id: "own-faults" });
  const client = new OpenAI({ apiKey, baseURL: `${sluice.url}/v1`, maxRetries: 0 });
  return {
    sluice,
    langfuse,
    setFaults,
    /** Makes a call and says with which status it was answered. */
    async ask(content: string): Promise<number> {
      try {
        await client.chat.completions.create({ model: "fake-model", messages: [{ role: "user", content }] });
        return 200;
      } catch (error) {
        if (error instanceof OpenAI.APIError && typeof error.status === "number") return error.status;
        throw error;
      }
    },
    /** How often each prompt arrived, under how many ids. */
    arrived(content: string): number {
      const { spans } = langfuse.project("own-faults");
      return new Set(
        spans.filter((span) => JSON.stringify(span.input).includes(`"${content}"`)).map((span) => span.spanId),
      ).size;
    },
    async close(): Promise<void> {
      await langfuse.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

test("a disk that is full: calls are refused, not answered without a log, and go on when there is room", async ({
  startSluice,
  fakes,
}) => {
  const { langfuse, setFaults, ask, arrived, close } = await prepare(startSluice, fakes);
  langfuse.setBehaviour({ status: 503 });
  expect(await ask("before the disk was full")).toBe(200);
  setFaults({ isDiskFull: true });
  const answered: string[] = [];
  const statuses = new Set<number>();
  // Free pages inside the file are used up first.
  for (let call = 0; call < 400 && !statuses.has(503); call += 1) {
    const content = `full ${String(call)} ${"x".repeat(4_000)}`;
    const status = await ask(content);
    statuses.add(status);
    if (status === 200) answered.push(content);
  }
  expect([...statuses].filter((status) => status !== 200)).toEqual([503]);
  setFaults({});
  await sleep(200);
  expect(await ask("after")).toBe(200);
  langfuse.setBehaviour({});
  const wanted = ["before the disk was full", ...answered, "after"];
  await until("every answered call arrived", () => wanted.every((content) => arrived(content) === 1), 40_000);
  await close();
});

test("@long a clock that jumps two hours forth and back holds up no log", async ({ startSluice, fakes }) => {
  const { langfuse, setFaults, ask, arrived, close } = await prepare(startSluice, fakes);
  for (const clockMs of [0, 7_200_000, 0, -7_200_000]) {
    setFaults({ clockMs });
    await sleep(200);
    const name = `at ${String(clockMs / 3_600_000)} hours`;
    langfuse.setBehaviour({ status: 503 });
    expect(await ask(`waiting ${name}`)).toBe(200);
    await sleep(2_500);
    // The next jump meets a record that waits and a destination whose circuit is open.
    setFaults({ clockMs: clockMs - 3_600_000 });
    langfuse.setBehaviour({});
    expect(await ask(`direct ${name}`)).toBe(200);
    await until(`both arrived ${name}`, () => arrived(`waiting ${name}`) === 1 && arrived(`direct ${name}`) === 1);
  }
  await close();
});

test("@long a delivery thread that dies is started again: no call fails, no log is lost, and the process lives", async ({
  startSluice,
  fakes,
}) => {
  const { sluice, setFaults, ask, arrived, close } = await prepare(startSluice, fakes);
  const contents: string[] = [];
  for (let round = 0; round < 2; round += 1) {
    for (let call = 0; call < 40; call += 1) {
      const content = `round ${String(round)} call ${String(call)}.`;
      contents.push(content);
      if (call === 20) {
        setFaults({ endsThread: true });
        await until("the thread died", () => (sluice.logs().match(/started again/g)?.length ?? 0) > round);
        setFaults({});
      }
      expect(await ask(content)).toBe(200);
    }
  }
  await until("all arrived", () => contents.every((content) => arrived(content) === 1), 60_000);
  expect(await sluice.stop()).toEqual({ code: 0, signal: null });
  await close();
});
