import { readFile, readdir } from "node:fs/promises";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { startFakeLangfuse, type FakeLangfuse } from "../fakes/langfuse.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

const teamCount = 300;
const cycles = 3;
const parallel = 8;

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
  await until("every team's first call arrived", () => arrived(1), 60_000);
  await forAll(projects, async (project) => {
    project.secretKey += "-rotated";
    const metadata = { logging: makeLogging(langfuse, project) };
    await mustAdmin(sluice, "/team/update", { team_id: project.id, metadata });
    await ask(sluice, keys.get(project.id) ?? "", "after the rotation");
  });
  await until("every team's second call arrived", () => arrived(2), 60_000);
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
  const env = { NODE_OPTIONS: "--max-old-space-size=256" };
  const sluice = await startSluice({ config: fakeModelConfig(fakes), env });
  const pid = await findPid(sluice);
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
    seen.push(await measure(pid));
  }
  console.log(`after each cycle of ${String(teamCount)} teams: ${JSON.stringify(seen)}`);
  const [first] = seen;
  const last = seen.at(-1);
  if (!first || !last) throw new Error("Nothing was measured.");
  expect(last.threads).toBe(first.threads);
  // The embedded database goes on filling its page cache (128 MiB) for a while.
  expect(last.rssBytes - first.rssBytes).toBeLessThan(192 * 1024 * 1024);
});
