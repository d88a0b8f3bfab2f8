import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { isObject, parseJson } from "../fakes/fake-server.ts";
import { startFakeLangfuse, type FakeLangfuse } from "../fakes/langfuse.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

const teamCount = 1_000;
const cycles = 3;
const parallel = 12;
/** Of each thread; the last rounds of 2,000 teams may add this much to what it holds after garbage was collected. */
const heapGrowthBytesMax = 8 * 1024 * 1024;

/** Timers and sockets that happen to be there at the moment of a look; 1,000 teams that leak leave more. */
const strayMax = 8;

type Project = ReturnType<typeof makeProject>;

/** The process id of a server: the one that was started with its data directory. */
async function findPid({ dataDir }: SluiceProcess): Promise<string> {
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (environment.split("\0").includes(`SLUICE_DATA_DIR=${dataDir}`)) return pid;
  }
  throw new Error("There is no process with this data directory.");
}

/** Open files and sockets, threads, and resident memory in bytes. */
async function measure(pid: string): Promise<{ handles: number; threads: number; rssBytes: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const numberOf = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  const handles = (await readdir(`/proc/${pid}/fd`)).length;
  return { handles, threads: numberOf("Threads"), rssBytes: numberOf("VmRSS") * 1024 };
}

/** What a server's threads hold, by the probe that was loaded into them. */
type Held = { timers: number; sockets: number; heapBytes: number };

async function askProbe(folder: string): Promise<Held[]> {
  const files = async (): Promise<string[]> =>
    (await readdir(folder)).filter((name) => name.endsWith(".json")).toSorted();
  for (const file of await files()) await rm(join(folder, file));
  await writeFile(join(folder, "measure"), "");
  // Each thread writes every half second; what it wrote first may be from before the collection ended.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const held = await Promise.all((await files()).map((file) => readFile(join(folder, file), "utf8").then(toHeld)));
  await rm(join(folder, "measure"));
  return held;
}

function toHeld(text: string): Held {
  const value = parseJson(text);
  const numberOf = (name: string): number => (isObject(value) ? Number(value[name]) : Number.NaN);
  return { timers: numberOf("timers"), sockets: numberOf("sockets"), heapBytes: numberOf("heapBytes") };
}

/** Works on many things, a few at a time. */
async function forAll<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

async function ask(sluice: SluiceProcess, key: string, content: string): Promise<void> {
  const response = await fetch(`${sluice.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "fake-model", messages: [{ role: "user", content }] }),
  });
  await response.text();
  expect(response.headers.get("x-sluice-log"), content).toMatch(/^langfuse=queued/);
}

function makeLogging(langfuse: FakeLangfuse, project: Project): object[] {
  return [{ callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, project) }];
}

/** Creates every team, sends, rotates its secret, sends again, and deletes it, first delivered, then gone. */
async function cycle(sluice: SluiceProcess, { langfuse, projects }: { langfuse: FakeLangfuse; projects: Project[] }) {
  const keys = new Map<string, string>();
  await forAll(projects, async (project) => {
    await mustAdmin(sluice, "/team/new", {
      team_id: project.id,
      metadata: { logging: makeLogging(langfuse, project) },
    });
    const key = await makeKey(sluice, { team_id: project.id });
    keys.set(project.id, key);
    await ask(sluice, key, "before the rotation");
  });
  const arrived = (count: number): boolean => projects.every(({ id }) => langfuse.project(id).spans.length === count);
  await until("every team's first call arrived", () => arrived(1), 180_000);
  await forAll(projects, async (project) => {
    project.secretKey += "-rotated";
    const metadata = { logging: makeLogging(langfuse, project) };
    await mustAdmin(sluice, "/team/update", { team_id: project.id, metadata });
    await ask(sluice, keys.get(project.id) ?? "", "after the rotation");
  });
  await until("every team's second call arrived", () => arrived(2), 180_000);
  await forAll(projects, async ({ id }) => {
    await mustAdmin(sluice, "/team/delete", { team_ids: [id] });
  });
  langfuse.reset();
}

test("@long teams that come and go leave no handle, thread or memory behind, and the last logs as the first did", async ({
  startSluice,
  fakes,
}) => {
  // A heap with a limit is collected before it grows; what leaks fills it all the same.
  const folder = await mkdtemp(join(tmpdir(), "resources-"));
  const probe = pathToFileURL(join(import.meta.dirname, "../fakes/resources-probe.ts")).href;
  const env = { NODE_OPTIONS: `--max-old-space-size=256 --import=${probe}`, E2E_RESOURCES_DIR: folder };
  const sluice = await startSluice({ config: fakeModelConfig(fakes), env });
  const pid = await findPid(sluice);
  const held: Held[][] = [];
  const seen: Awaited<ReturnType<typeof measure>>[] = [];
  for (let round = 0; round < cycles; round += 1) {
    const projects = Array.from({ length: teamCount }, (_, index) =>
      makeProject(`leak-${String(round)}-${String(index)}`),
    );
    const langfuse = await startFakeLangfuse({ projects });
    await cycle(sluice, { langfuse, projects });
    await langfuse.close();
    fakes.openai.calls.length = 0;
    const [first] = seen;
    if (first) {
      const most = Math.ceil(first.handles * 1.05) + 2;
      const isBack = async (): Promise<boolean> => (await measure(pid)).handles <= most;
      await until(`the handles are at most ${String(most)} again`, isBack, 30_000);
    } else {
      // Connections that are kept open for a moment are no baseline.
      let before = Infinity;
      const isQuiet = async (): Promise<boolean> => {
        await new Promise((resolve) => setTimeout(resolve, 5_000));
        const { handles } = await measure(pid);
        const isSame = handles === before;
        before = handles;
        return isSame;
      };
      await until("the handles are at rest", isQuiet, 60_000);
    }
    held.push(await askProbe(folder));
    seen.push(await measure(pid));
  }
  console.log(`after each cycle of ${String(teamCount)} teams: ${JSON.stringify({ seen, held })}`);
  const [first] = seen;
  const last = seen.at(-1);
  if (!first || !last) throw new Error("Nothing was measured.");
  expect(last.threads).toBe(first.threads);
  expect(held[0]?.length, "threads that answer").toBeGreaterThan(1);
  for (const [thread, before] of (held[0] ?? []).entries()) {
    const after = held.at(-1)?.[thread];
    if (!after) throw new Error("A thread is gone.");
    expect(after.timers, `timers of thread ${String(thread)}`).toBeLessThanOrEqual(
      Math.ceil(before.timers * 1.05) + strayMax,
    );
    expect(after.sockets, `sockets of thread ${String(thread)}`).toBeLessThanOrEqual(
      Math.ceil(before.sockets * 1.05) + strayMax,
    );
    expect(after.heapBytes - before.heapBytes, `memory of thread ${String(thread)}`).toBeLessThan(heapGrowthBytesMax);
  }
  await rm(folder, { recursive: true });
  // The first round fills what is filled once: code, the embedded database's pages, the pools of the allocators. After it
  // the database still keeps what it must, such as the audit.
  const warm = seen[1];
  if (!warm) throw new Error("There is no second round.");
  expect(last.rssBytes - warm.rssBytes).toBeLessThan(128 * 1024 * 1024);
});
