import { chmod, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { UpstreamError } from "#lib/errors.ts";
import type { DeliveryContext } from "#logging/destinations/destination.ts";
import { localFiles, pruneLocalFiles } from "#logging/destinations/local-files.ts";
import { makeRecord } from "#testing/make-record.ts";

const Line = z.object({ record_id: z.string() });

let root: string;
let dir: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "local-files-"));
  dir = join(root, "logs");
});

afterEach(() => rm(root, { recursive: true, force: true }));

const context: DeliveryContext = { callbackId: "callback-1", reach: "operator", signal: new AbortController().signal };

function deliver(...recordIds: string[]) {
  const records = recordIds.map((recordId) => makeRecord({ recordId }));
  return localFiles.deliver(records, { local_files_dir: dir }, context);
}

async function readIds(name: string): Promise<string[]> {
  const lines = (await readFile(join(dir, name), "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    try {
      return Line.parse(JSON.parse(line)).record_id;
    } catch {
      return "(half a line)";
    }
  });
}

test("records are lines of the day's file that only the gateway's user can read", async () => {
  expect(await deliver("r1", "r2")).toEqual([
    { outcome: "delivered", status: 200 },
    { outcome: "delivered", status: 200 },
  ]);
  await deliver("r3");
  const [name = "", ...others] = await readdir(dir);
  expect(others).toEqual([]);
  expect(name).toMatch(/^\d{4}-\d{2}-\d{2}\.ndjson$/);
  expect(await readIds(name)).toEqual(["r1", "r2", "r3"]);
  expect((await stat(join(dir, name))).mode & 0o777).toBe(0o600);
  expect((await stat(dir)).mode & 0o777).toBe(0o700);
});

test("batches that are written at once do not tear each other's lines", async () => {
  const names = Array.from({ length: 20 }, (_, at) => [`a${String(at)}`, `b${String(at)}`]);
  await Promise.all(names.map((pair) => deliver(...pair)));
  const [name = ""] = await readdir(dir);
  expect((await readIds(name)).toSorted()).toEqual(names.flat().toSorted());
});

test("half a line left by a crash spoils no later record", async () => {
  await deliver("r1");
  const [name = ""] = await readdir(dir);
  await truncate(join(dir, name), (await stat(join(dir, name))).size - 20);
  await deliver("r2");
  expect(await readIds(name)).toEqual(["(half a line)", "r2"]);
});

test("a full file is followed by the next of the same day", async () => {
  await deliver("r1");
  const [name = ""] = await readdir(dir);
  await truncate(join(dir, name), 128 * 1024 * 1024);
  await deliver("r2");
  const next = name.replace(".ndjson", ".1.ndjson");
  expect((await readdir(dir)).toSorted()).toEqual([next, name].toSorted());
  await deliver("r3");
  expect(await readIds(next)).toEqual(["r2", "r3"]);
});

test("files older than seven days go with the first record of a new file, other files stay", async () => {
  await deliver("r1");
  const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
  const old = [`${day(8)}.ndjson`, `${day(8)}.3.ndjson`, `${day(400)}.ndjson`];
  const kept = [`${day(7)}.ndjson`, `${day(1)}.1.ndjson`, "2020-01-01.txt", "notes.ndjson"];
  for (const name of [...old, ...kept]) await writeFile(join(dir, name), "x\n");
  await utimes(join(dir, "notes.ndjson"), 0, 0);
  await rm(join(dir, `${day(0)}.ndjson`));
  await deliver("r2");
  expect((await readdir(dir)).toSorted()).toEqual([...kept, `${day(0)}.ndjson`].toSorted());
});

test("pruning a folder that is not there is no error", async () => {
  await expect(pruneLocalFiles(join(root, "nowhere"))).resolves.toBeUndefined();
});

test("a folder that cannot be written is the destination's fault, so records wait", async () => {
  await writeFile(dir, "a file where the folder should be");
  const error = await deliver("r1").then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UpstreamError);
  expect(error).toMatchObject({ status: 0, fault: "destination" });
  const check = await localFiles.check({ local_files_dir: dir }, context);
  expect(check.state).toBe("unhealthy");
  expect(check.message).toContain(dir);
});

test("the check makes the folder and names it", async () => {
  expect(await localFiles.check({ local_files_dir: dir }, context)).toEqual({
    state: "healthy",
    message: `Records are written to ${dir}`,
    target: dir,
  });
  await chmod(dir, 0o700);
});

test("an aborted delivery writes nothing", async () => {
  const signal = AbortSignal.abort(new Error("logging was disabled"));
  const delivery = localFiles.deliver([makeRecord()], { local_files_dir: dir }, { ...context, signal });
  await expect(delivery).rejects.toThrow("logging was disabled");
  await expect(readdir(dir)).rejects.toThrow("ENOENT");
});
