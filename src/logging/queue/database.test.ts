import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openDatabaseQueue, type DatabaseQueue } from "#logging/queue/database.ts";
import type { QueueEntry } from "#logging/queue/queue.ts";
import { type QueueDatabase, queueKeyring, startQueueDatabase } from "#testing/queue-engines.ts";

let database: QueueDatabase;

beforeAll(async () => {
  database = await startQueueDatabase();
});

afterAll(() => database.drop());

beforeEach(() => database.clear());

/** Queues of several processes on the one database. */
async function withReplicas(count: number, work: (replicas: DatabaseQueue[]) => Promise<void>): Promise<void> {
  const { connection } = database;
  const replicas = Array.from({ length: count }, (_, index) =>
    openDatabaseQueue({ connection, keyring: queueKeyring, connectionsMax: 2, owner: `owner ${String(index)}` }),
  );
  await work(replicas).finally(() => Promise.all(replicas.map((replica) => replica.close())));
}

function makeEntry(recordId: string, callbackIds = ["one"]): QueueEntry {
  const contents = [{ body: `{"recordId":"${recordId}"}`, callbackIds }];
  return { recordId, callId: recordId, teamId: "team", keyHash: null, createdAtMs: 1, contents };
}

const request = { callbackId: "one", limit: 7, bytesMax: 1e9, leaseMs: 60_000, nowMs: 1_000 };

test("replicas that claim and settle at the same time hand out every delivery once, and count right", async () => {
  await withReplicas(3, async (replicas) => {
    const entries = Array.from({ length: 300 }, (_, index) => makeEntry(`r${String(index)}`, ["one", "two"]));
    await Promise.all(replicas.map((replica, index) => replica.append(entries.slice(index * 100, index * 100 + 100))));
    const handedOut: string[] = [];
    await Promise.all(
      replicas.flatMap((replica) =>
        ["one", "two"].map(async (callbackId) => {
          for (;;) {
            const claimed = await replica.claim({ ...request, callbackId });
            if (claimed.length === 0) return;
            handedOut.push(...claimed.map(({ recordId }) => `${recordId} ${callbackId}`));
            const answer = { state: "delivered", status: 200, message: "" } as const;
            await replica.settle(
              claimed.map(({ deliveryId }) => ({ deliveryId, ...answer })),
              2_000,
            );
          }
        }),
      ),
    );
    expect(handedOut.toSorted()).toEqual(
      entries.flatMap(({ recordId }) => [`${recordId} one`, `${recordId} two`]).toSorted(),
    );
    expect(await replicas[0]?.find({ by: "counts" })).toEqual([
      { callbackId: "one", state: "delivered", count: 300 },
      { callbackId: "two", state: "delivered", count: 300 },
    ]);
    expect(await database.query("SELECT count(*)::int AS n FROM queue_content")).toEqual([{ n: 0 }]);
  });
});

test("a dead process's leases end at once when its successor says so, and nobody else's do", async () => {
  await withReplicas(3, async ([dead, living, successor]) => {
    await dead?.append([makeEntry("r1"), makeEntry("r2")]);
    await dead?.claim({ ...request, limit: 1 });
    await living?.claim({ ...request, limit: 1 });
    expect(await successor?.claim(request)).toEqual([]);
    await successor?.release("owner 0");
    expect(await successor?.claim(request)).toMatchObject([{ recordId: "r1" }]);
  });
});

test("counts of callbacks without deliveries are forgotten, and those of others kept", async () => {
  await withReplicas(1, async ([replica]) => {
    await replica?.append([makeEntry("r1", ["gone"]), makeEntry("r2", ["kept"])]);
    await replica?.purge({ callbackId: "gone" });
    await replica?.expire({
      deliveredBeforeMs: Number.MAX_SAFE_INTEGER,
      deadBeforeMs: Number.MAX_SAFE_INTEGER,
      contentBeforeMs: 0,
    });
    expect(await database.query("SELECT DISTINCT callback_id FROM queue_count")).toEqual([{ callback_id: "kept" }]);
    expect(await replica?.find({ by: "counts" })).toEqual([{ callbackId: "kept", state: "pending", count: 1 }]);
  });
});
