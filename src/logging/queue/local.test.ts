import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeKeyring } from "#lib/seal.ts";
import { openLocalQueue } from "#logging/queue/local.ts";

const masterKey = "master key of the queue tests";
const keyring = makeKeyring([masterKey]);
const fixture = fileURLToPath(new URL("append-until-killed.fixture.ts", import.meta.url));
const claimAll = { limit: 1_000_000, bytesMax: 1e9, leaseMs: 1000, nowMs: 10_000 };

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-queue-"));
  path = join(folder, "data", "queue.sqlite");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function makeEntries(count: number, text = "hello") {
  return Array.from({ length: count }, (_, index) => {
    const contents = [{ body: JSON.stringify({ index, text }), callbackIds: ["one"] }];
    const recordId = `record-${String(index)}`;
    return { recordId, callId: "call", teamId: "team", keyHash: null, createdAtMs: 1, contents };
  });
}

/** Runs the fixture; `stopAfter` printed lines it is killed. Returns the whole lines that it printed. */
async function runFixture(command: string, args: string[], stopAfter: number): Promise<string[]> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (chunk: string) => {
    text += chunk;
    if (text.split("\n").length > stopAfter) child.kill("SIGKILL");
  });
  await once(child, "close");
  return text.slice(0, text.lastIndexOf("\n")).split("\n");
}

test.each([1, 300, 1500])("kill -9 after %i acknowledged records loses none of them", async (stopAfter) => {
  const lines = await runFixture(process.execPath, [fixture, path, masterKey], stopAfter);
  expect(lines.length).toBeGreaterThanOrEqual(stopAfter);
  expect(lines.filter((line) => line.startsWith("failed"))).toEqual([]);
  const queue = openLocalQueue({ path, keyring });
  for (const callbackId of ["first", "second"]) {
    const found = new Set((await queue.claim({ callbackId, ...claimAll })).map(({ recordId }) => recordId));
    expect(lines.filter((recordId) => !found.has(recordId))).toEqual([]);
    expect(await queue.find({ by: "counts" })).toContainEqual({ callbackId, state: "pending", count: found.size });
  }
  await queue.close();
});

test.skipIf(process.platform === "win32")(
  "a full disk refuses a group as a whole and loses nothing before",
  async () => {
    const script = 'ulimit -f 1500; exec "$0" "$@"';
    const args = ["-c", script, process.execPath, fixture, path, masterKey];
    const lines = await runFixture("sh", args, 200_000);
    expect(lines.pop()).toMatch(/^failed The local queue kept none of 4 records: /);
    expect(lines.length).toBeGreaterThan(0);
    const queue = openLocalQueue({ path, keyring });
    const claimed = await queue.claim({ callbackId: "first", ...claimAll });
    expect(claimed.map(({ recordId }) => recordId).sort()).toEqual(lines.sort());
    await queue.close();
  },
);

test("no file of the queue holds a word of a content, before and after delivery", async () => {
  const secret = "the patient's name is Wilhelmina";
  const queue = openLocalQueue({ path, keyring });
  await queue.append(makeEntries(50, secret));
  await queue.append(makeEntries(60, secret.repeat(1000)));
  const search = () => {
    const names = readdirSync(join(folder, "data"));
    expect(names).toContain("queue.sqlite-wal");
    for (const name of names) {
      const bytes = readFileSync(join(folder, "data", name));
      for (const word of ["Wilhelmina", "patient's", '"text"']) {
        expect([name, word, bytes.includes(word)]).toEqual([name, word, false]);
      }
    }
  };
  search();
  const claimed = await queue.claim({ callbackId: "one", ...claimAll });
  expect(claimed).toHaveLength(60);
  const done = { state: "delivered", status: 200, message: "" } as const;
  await queue.settle(
    claimed.map(({ deliveryId }) => ({ deliveryId, ...done })),
    5,
  );
  search();
  await queue.close();
});

test.skipIf(process.platform === "win32")("its files are for the owner alone", async () => {
  const queue = openLocalQueue({ path, keyring });
  await queue.append(makeEntries(1));
  expect(statSync(join(folder, "data")).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(join(folder, "data"))) {
    expect([name, statSync(join(folder, "data", name)).mode & 0o777]).toEqual([name, 0o600]);
  }
  await queue.close();
});

test("a second owner is refused with the reason, and the first goes on", async () => {
  const queue = openLocalQueue({ path, keyring });
  expect(() => openLocalQueue({ path, keyring })).toThrow(`The queue file ${path} cannot be opened: another process`);
  await queue.append(makeEntries(1));
  expect(await queue.claim({ callbackId: "one", ...claimAll })).toHaveLength(1);
  await queue.close();
});

test("a file of a newer version is refused and left alone", async () => {
  await openLocalQueue({ path, keyring }).close();
  const file = new DatabaseSync(path);
  file.exec("PRAGMA user_version = 99");
  file.close();
  expect(() => openLocalQueue({ path, keyring })).toThrow("a newer version of Sluice wrote it");
  const again = new DatabaseSync(path, { readOnly: true });
  expect(again.prepare("PRAGMA user_version").get()).toMatchObject({ user_version: 99 });
  again.close();
});

test("a lease of an earlier process is over when the file is opened again", async () => {
  const earlier = openLocalQueue({ path, keyring });
  await earlier.append(makeEntries(1));
  expect(await earlier.claim({ callbackId: "one", ...claimAll, leaseMs: 1e9 })).toHaveLength(1);
  await earlier.close();
  const queue = openLocalQueue({ path, keyring });
  expect(await queue.claim({ callbackId: "one", ...claimAll })).toHaveLength(1);
  await queue.close();
});

test("content under a key that is gone becomes dead, however much there is of it", async () => {
  const queue = openLocalQueue({ path, keyring });
  await queue.append(makeEntries(3));
  await queue.close();
  const other = openLocalQueue({ path, keyring: makeKeyring(["another master key of the tests"]) });
  expect(await other.claim({ callbackId: "one", ...claimAll, limit: 2 })).toEqual([]);
  expect(await other.find({ by: "counts" })).toEqual([{ callbackId: "one", state: "dead", count: 3 }]);
  await other.close();
});

test("storage stays flat: what is delivered and expired is given back", async () => {
  const queue = openLocalQueue({ path, keyring });
  const text = Array.from({ length: 1000 }, (_, index) => String(index * 7919)).join(" ");
  await queue.append(makeEntries(4000, text));
  for (;;) {
    const claimed = await queue.claim({ callbackId: "one", ...claimAll, limit: 500 });
    if (claimed.length === 0) break;
    const done = { state: "delivered", status: 200, message: "" } as const;
    await queue.settle(
      claimed.map(({ deliveryId }) => ({ deliveryId, ...done })),
      5,
    );
  }
  const sizeFull = statSync(path).size + statSync(`${path}-wal`).size;
  expect(await queue.expire({ deliveredBeforeMs: 6, deadBeforeMs: 6, contentBeforeMs: 0 })).toBe(4000);
  expect(statSync(`${path}-wal`).size).toBe(0);
  expect(statSync(path).size).toBeLessThan(sizeFull / 2);
  expect(await queue.find({ by: "counts" })).toEqual([]);
  await queue.close();
});
