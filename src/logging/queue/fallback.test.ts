import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { openDatabaseQueue } from "#logging/queue/database.ts";
import { makeFallbackQueue } from "#logging/queue/fallback.ts";
import { openLocalQueue } from "#logging/queue/local.ts";
import type { Queue, QueueEntry } from "#logging/queue/queue.ts";
import { type QueueDatabase, queueKeyring, startQueueDatabase } from "#testing/queue-engines.ts";
import { startTcpProxy, type TcpProxy } from "#testing/tcp-proxy.ts";

let database: QueueDatabase;
let way: TcpProxy;
let folder: string;
let queue: Queue;

beforeAll(async () => {
  database = await startQueueDatabase();
  way = await startTcpProxy(database.address);
});

afterAll(async () => {
  way.close();
  await database.drop();
});

beforeEach(async () => {
  await database.clear();
  folder = mkdtempSync(join(tmpdir(), "sluice-fallback-"));
  queue = open();
});

afterEach(async () => {
  way.mend();
  await queue.close();
  rmSync(folder, { recursive: true, force: true });
});

function openFile() {
  return openLocalQueue({ path: join(folder, "queue.sqlite"), keyring: queueKeyring });
}

function open(): Queue {
  const connection = { ...database.login, host: "127.0.0.1", port: way.port };
  const shared = openDatabaseQueue({ connection, keyring: queueKeyring, connectionsMax: 2 });
  return makeFallbackQueue({ database: shared, local: openFile(), intervalMs: 10 });
}

function makeEntry(recordId: string, change: Partial<QueueEntry> = {}): QueueEntry {
  const contents = [{ body: `{"recordId":"${recordId}"}`, callbackIds: ["one", "two"] }];
  return { recordId, callId: `call ${recordId}`, teamId: "team", keyHash: null, createdAtMs: 1, contents, ...change };
}

const request = { callbackId: "one", limit: 1000, bytesMax: 1e9, leaseMs: 60_000 };

async function inDatabase(): Promise<string[]> {
  const rows = await database.query("SELECT DISTINCT record_id FROM queue_delivery ORDER BY record_id");
  return rows.map((row) => String(row["record_id"]));
}

/** Where it tells what it takes on a disk. */
async function places(): Promise<string[]> {
  return (await queue.sizes()).map(({ place }) => place);
}

async function moved(recordIds: string[]): Promise<void> {
  await vi.waitFor(async () => expect(await inDatabase()).toEqual(recordIds), { timeout: 15_000, interval: 20 });
}

test("records go to the database, and to the file while it is away, and are moved over afterwards", async () => {
  await queue.append([makeEntry("r1")]);
  expect(await inDatabase()).toEqual(["r1"]);
  expect(await places()).toEqual(["file", "database"]);
  way.cut();
  await queue.append([makeEntry("r2")]);
  await queue.append([makeEntry("r3")]);
  expect(await places()).toEqual(["file"]);
  expect(await queue.claim({ ...request, nowMs: Date.now() })).toEqual([]);
  expect(await queue.find({ by: "due", nowMs: Date.now() })).toEqual([]);
  expect(await inDatabase()).toEqual(["r1"]);
  way.mend();
  await moved(["r1", "r2", "r3"]);
  const claimed = await vi.waitFor(async () => {
    const found = await queue.claim({ ...request, nowMs: Date.now() });
    expect(found).toHaveLength(3);
    return found;
  });
  expect(claimed.map(({ body }) => body).toSorted()).toEqual(
    ["r1", "r2", "r3"].map((recordId) => `{"recordId":"${recordId}"}`),
  );
  expect(await queue.find({ by: "call", id: "call r2" })).toMatchObject([
    { recordId: "r2", callbackId: "one", teamId: "team", state: "pending", createdAtMs: 1 },
    { recordId: "r2", callbackId: "two", teamId: "team", state: "pending", createdAtMs: 1 },
  ]);
  expect(await queue.find({ by: "counts" })).toEqual([
    { callbackId: "one", state: "pending", count: 3 },
    { callbackId: "two", state: "pending", count: 3 },
  ]);
  expect(await database.query("SELECT count(*)::int AS n FROM queue_content")).toEqual([{ n: 3 }]);
});

test("what was moved is handed out within limits, however small it is stored", async () => {
  way.cut();
  const contents = [{ body: "x".repeat(100_000), callbackIds: ["one"] }];
  await queue.append(["r1", "r2", "r3"].map((recordId) => makeEntry(recordId, { contents })));
  way.mend();
  await moved(["r1", "r2", "r3"]);
  const claimIds = async () =>
    (await queue.claim({ ...request, bytesMax: 150_000, nowMs: 1 })).map(({ recordId }) => recordId);
  await vi.waitFor(async () => expect(await claimIds()).toEqual(["r1", "r2"]));
  expect(await claimIds()).toEqual(["r3"]);
});

test("a database that swallows everything keeps nobody waiting for long, and nothing is lost or there twice", async () => {
  await queue.append([makeEntry("r1")]);
  way.hang();
  await queue.append([makeEntry("r2")]);
  way.mend();
  await moved(["r1", "r2"]);
  expect(await queue.find({ by: "record", id: "r2" })).toHaveLength(2);
});

test("what an earlier process left in the file is moved, pending and dead, and what is there already is not doubled", async () => {
  await queue.append([makeEntry("r1")]);
  await queue.close();
  const file = openFile();
  await file.append([makeEntry("r1"), makeEntry("r2"), makeEntry("r3")]);
  const [, second] = await file.claim({ ...request, nowMs: Date.now() });
  const words = { status: 400, message: "no\0 such field" };
  await file.settle([{ deliveryId: second?.deliveryId ?? 0, state: "dead", ...words }], 5_000);
  await file.close();
  queue = open();
  await moved(["r1", "r2", "r3"]);
  expect(await queue.find({ by: "record", id: "r2" })).toMatchObject([
    { callbackId: "one", state: "dead", status: 400, message: "no such field", tries: 1, settledAtMs: 5_000 },
    { callbackId: "two", state: "pending", tries: 0 },
  ]);
  expect(await queue.find({ by: "record", id: "r1" })).toHaveLength(2);
  await queue.close();
  const emptied = openFile();
  expect(emptied.isEmpty()).toBe(true);
  expect(await emptied.find({ by: "counts" })).toEqual([]);
  await emptied.close();
  queue = open();
});

test("a disabled team's records go from both places, also while the file is being moved", async () => {
  await queue.append([makeEntry("r1")]);
  way.cut();
  for (let index = 0; index < 50; index += 1) await queue.append([makeEntry(`file ${String(index)}`)]);
  await queue.append([makeEntry("other", { teamId: "other" })]);
  way.mend();
  const purged = vi.waitFor(() => queue.purge({ teamId: "team" }), { timeout: 15_000, interval: 5 });
  await purged;
  await moved(["other"]);
  expect(await queue.find({ by: "counts" })).toEqual([
    { callbackId: "one", state: "pending", count: 1 },
    { callbackId: "two", state: "pending", count: 1 },
  ]);
});

test("a delivery that was made while the database went away is settled when it is back", async () => {
  await queue.append([makeEntry("r1")]);
  const claimed = await queue.claim({ ...request, nowMs: Date.now() });
  way.cut();
  await queue.settle(
    claimed.map(({ deliveryId }) => ({ deliveryId, state: "delivered", status: 200, message: "" })),
    9_000,
  );
  way.mend();
  await vi.waitFor(
    async () =>
      expect(await queue.find({ by: "record", id: "r1" })).toMatchObject([
        { callbackId: "one", state: "delivered", settledAtMs: 9_000 },
        { callbackId: "two", state: "pending" },
      ]),
    { timeout: 15_000, interval: 20 },
  );
});

test("a record that the database refuses stays in the file and keeps no other one there", async () => {
  const poison = Array.from({ length: 3 }, (_, index) =>
    makeEntry(`bad ${String(index)}`, { callId: `nul ${String(index)} ${randomBytes(9_000).toString("base64")}` }),
  );
  const good = Array.from({ length: 40 }, (_, index) => makeEntry(`good ${String(index)}`));
  // In one group with the others, and alone.
  await queue.append([...good.slice(0, 20), ...poison, ...good.slice(20)]);
  await queue.append([makeEntry("later")]);
  await moved([...good.map(({ recordId }) => recordId), "later"].toSorted());
  for (const { recordId } of poison) expect(await queue.find({ by: "record", id: recordId })).toHaveLength(2);
  expect(await queue.find({ by: "counts", callbackIds: ["one"] })).toEqual([
    { callbackId: "one", state: "pending", count: 44 },
  ]);
});
