import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { setLogger } from "#lib/logger.ts";
import { makeKeyring } from "#lib/seal.ts";
import { type LocalQueue, openLocalQueue } from "#logging/queue/local.ts";
import { readReports } from "#logging/queue/local-reports.ts";
import { rescuedPath } from "#logging/queue/local-rescue.ts";
import type { QueueEntry } from "#logging/queue/queue.ts";

setLogger("silent");
const keyring = makeKeyring(["master key of the queue tests"]);
const count = 300;
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-rescue-"));
  path = join(folder, "queue", "records.sqlite");
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function makeEntries(prefix: string, entries = count): QueueEntry[] {
  return Array.from({ length: entries }, (_, index) => {
    const recordId = `${prefix}${String(index)}`;
    const contents = [{ body: `${recordId} ${"content ".repeat(100)}`, callbackIds: ["one"] }];
    return { recordId, callId: recordId, teamId: `team ${String(index % 7)}`, keyHash: "k", createdAtMs: 1, contents };
  });
}

const request = { callbackId: "one", limit: 10_000, bytesMax: 1e9, leaseMs: 1e15, nowMs: Date.now() + 1_000 };

async function claimAll(queue: LocalQueue): Promise<number> {
  const claimed = await queue.claim(request);
  for (const { recordId, body } of claimed) expect(body).toMatch(new RegExp(`^${recordId} content`));
  return claimed.length;
}

/** A foreign queue with a record of its own, as a file that is complete. */
async function makeForeign(): Promise<string> {
  const foreign = join(folder, "foreign", "records.sqlite");
  const queue = openLocalQueue({ path: foreign, keyring });
  await queue.append(makeEntries("foreign", 1));
  await queue.close();
  return foreign;
}

const losses: { name: string; lose: () => Promise<unknown>; asides: number }[] = [
  { name: "removed", lose: async () => rmSync(path), asides: 1 },
  { name: "removed with its log", lose: async () => [path, `${path}-wal`].map((one) => rmSync(one)), asides: 0 },
  { name: "removed with its folder", lose: async () => rmSync(dirname(path), { recursive: true }), asides: 0 },
  { name: "moved with its folder", lose: async () => renameSync(dirname(path), join(folder, "moved")), asides: 0 },
  { name: "replaced by another queue", lose: async () => renameSync(await makeForeign(), path), asides: 1 },
  { name: "replaced by a copy of itself", lose: async () => renameSync(copyOf(path), path), asides: 1 },
  { name: "without its log", lose: async () => rmSync(`${path}-wal`), asides: 1 },
];

function copyOf(file: string): string {
  copyFileSync(file, `${file}.other`);
  return `${file}.other`;
}

test.each(losses)("a file that is $name while it is used loses no record", async ({ lose, asides }) => {
  // Half of it is in the file, and half of it in the log.
  const first = openLocalQueue({ path, keyring });
  await first.append(makeEntries("stored"));
  await first.close();
  const reports: string[] = [];
  const queue = openLocalQueue({ path, keyring, onDamage: (error) => reports.push(error.message) });
  await queue.append(makeEntries("logged"));
  await lose();
  let committed = 0;
  for (const entry of makeEntries("late", 20)) void queue.append([entry]).then(() => (committed += 1));
  await vi.waitFor(() => expect(reports).toHaveLength(1), 10_000);
  const before = committed;
  // What comes after the copy was made waits for the next thread.
  void queue.append(makeEntries("after", 5)).then(() => (committed += 1));
  await queue.close();
  expect(committed).toBe(before);
  const reopened = openLocalQueue({ path, keyring });
  expect(await claimAll(reopened)).toBe(2 * count + before);
  expect(readdirSync(dirname(path)).filter((file) => /damaged-[\dTZ-]+$/.test(file))).toHaveLength(asides);
  expect(readReports(path)).toMatchObject([{ recovered: 2 * count + before, lost: 0 }]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await reopened.append(makeEntries("new", 3));
  expect(await claimAll(reopened)).toBe(3);
  await reopened.close();
});

test.each([
  { name: "emptied", lose: () => truncateSync(path, 0) },
  { name: "overwritten in place", lose: () => writeFileSync(path, "no queue\n".repeat(9_000)) },
])("a file that is $name while it is used keeps what is in memory or in the log", async ({ lose }) => {
  const first = openLocalQueue({ path, keyring });
  await first.append(makeEntries("stored"));
  await first.close();
  const reports: string[] = [];
  const queue = openLocalQueue({ path, keyring, onDamage: (error) => reports.push(error.message) });
  await queue.append(makeEntries("logged"));
  lose();
  await queue.append(makeEntries("late", 20));
  await vi.waitFor(() => expect(reports).toHaveLength(1), 10_000);
  await queue.close();
  const reopened = openLocalQueue({ path, keyring });
  // What was stored before the start and not read since is nowhere else.
  expect(await claimAll(reopened)).toBeGreaterThanOrEqual(count + 20);
  const [report] = readReports(path);
  expect((report?.recovered ?? 0) + (report?.lost ?? 0)).toBe(2 * count + 20);
  await reopened.close();
});

test("a copy that was made before the process died is used by the next start", async () => {
  const queue = openLocalQueue({ path, keyring });
  await queue.append(makeEntries("r"));
  await queue.close();
  renameSync(path, rescuedPath(path));
  const reopened = openLocalQueue({ path, keyring });
  expect(await claimAll(reopened)).toBe(count);
  await reopened.close();
});

test("a file or folder that cannot be used stops the start, with the path and what to do", () => {
  mkdirSync(path, { recursive: true });
  expect(() => openLocalQueue({ path, keyring })).toThrow(
    `The queue file ${path} cannot be used: ${path} must be readable and writable for the user of the gateway`,
  );
  rmSync(dirname(path), { recursive: true });
  writeFileSync(dirname(path), "a file");
  expect(() => openLocalQueue({ path, keyring })).toThrow(
    `${dirname(path)} must be readable and writable for the user of the gateway`,
  );
  expect(readFileSync(dirname(path), "utf8")).toBe("a file");
});

test("a lost file whose damage cannot be noted is handed to the next thread all the same", async () => {
  const onDamage = vi.fn();
  const queue = openLocalQueue({ path, keyring, onDamage });
  await queue.append(makeEntries("r", 3));
  mkdirSync(`${path}.damage`);
  rmSync(path);
  await vi.waitFor(() => {
    expect(onDamage).toHaveBeenCalledOnce();
  }, 5_000);
  await queue.close();
});
