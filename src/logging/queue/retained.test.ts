import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Queue, QueueEntry, RetainedRecord, RetainedRequest } from "#logging/queue/queue.ts";
import { type EngineHome, queueEnginesOfFile } from "#testing/queue-engines.ts";

const engines = queueEnginesOfFile();

const startMs = Date.parse("2026-01-02T03:04:05Z");
const hourMs = 3_600_000;
const ok = { state: "delivered", status: 200, message: "ok" } as const;

function makeEntry(recordId: string, change: Partial<QueueEntry> = {}): QueueEntry {
  const contents = [{ body: `content of ${recordId}`, callbackIds: ["one"] }];
  const base = { recordId, callId: `call of ${recordId}`, teamId: "a", keyHash: "key", createdAtMs: startMs };
  return { ...base, contents, ...change };
}

describe.each(engines)("content that the queue engine $name keeps", ({ make }) => {
  let home: EngineHome;
  let queue: Queue;

  beforeEach(async () => {
    home = make();
    queue = await home.open({ keepsContent: true });
  });

  afterEach(async () => {
    await queue.close();
    await home.remove();
  });

  async function reopen(keepsContent = true) {
    await queue.close();
    queue = await home.open({ keepsContent });
  }

  async function countContents(): Promise<number> {
    await queue.close();
    const count = await home.contents();
    queue = await home.open({ keepsContent: true });
    return count;
  }

  async function deliver(callbackId: string, state: "delivered" | "dead" = "delivered") {
    const claimed = await queue.claim({ callbackId, limit: 1000, bytesMax: 1e9, leaseMs: 1000, nowMs: startMs });
    await queue.settle(
      claimed.map(({ deliveryId }) => ({ ...ok, deliveryId, state })),
      startMs,
    );
  }

  async function readAll(change: Partial<RetainedRequest> = {}): Promise<RetainedRecord[]> {
    const records: RetainedRecord[] = [];
    let before: number | null = null;
    do {
      const page = await queue.retained({
        ...{ teamId: "a", createdFromMs: 0, missingAt: "new", before, limit: 100, bytesMax: 1e9, ...change },
      });
      expect(page.records.length).toBeLessThanOrEqual(change.limit ?? 100);
      records.push(...page.records);
      before = page.next;
    } while (before !== null);
    return records;
  }

  async function idsOf(change: Partial<RetainedRequest> = {}): Promise<string[]> {
    return (await readAll(change)).map(({ recordId }) => recordId);
  }

  test("is read with its record after delivery, each distinct content once, also after reopening", async () => {
    const contents = [
      { body: "full", callbackIds: ["one", "two"] },
      { body: "cut", callbackIds: ["three"] },
    ];
    await queue.append([makeEntry("r1", { contents })]);
    for (const callbackId of ["one", "two", "three"]) await deliver(callbackId);
    await reopen();
    const { contents: _contents, ...record } = makeEntry("r1");
    const [read, ...others] = await readAll();
    expect(others).toEqual([]);
    expect({ ...read, bodies: read?.bodies.toSorted() }).toEqual({ ...record, bodies: ["cut", "full"] });
    expect(await queue.find({ by: "counts" })).toHaveLength(3);
  });

  test("is not read for a callback that has the record, whatever became of it there", async () => {
    await queue.append(["waiting", "delivered", "dead", "suppressed"].map((id) => makeEntry(id)));
    await deliver("one");
    const added = { queuedAtMs: startMs + 1, contents: [{ body: "new", callbackIds: ["new"] }] };
    expect(await idsOf()).toEqual(["suppressed", "dead", "delivered", "waiting"]);
    for (const [id, state] of [
      ["delivered", "delivered"],
      ["dead", "dead"],
    ] as const) {
      await queue.append([makeEntry(id, added)]);
      const claim = { callbackId: "new", limit: 1, bytesMax: 1, leaseMs: 1000, nowMs: startMs + 1 };
      const [claimed] = await queue.claim(claim);
      expect(claimed).toMatchObject({ recordId: id, ageFromMs: startMs + 1, createdAtMs: startMs, body: "new" });
      await queue.settle([{ ...ok, deliveryId: claimed?.deliveryId ?? 0, state }], startMs + 1);
    }
    await queue.append([makeEntry("suppressed", added)]);
    await queue.purge({ callbackId: "new" });
    await queue.append([makeEntry("waiting", added)]);
    expect(await idsOf()).toEqual([]);
    expect(await idsOf({ missingAt: "another" })).toEqual(["suppressed", "dead", "delivered", "waiting"]);
  });

  test("is read of one team or its keys, from a time on, the newest first and every record on one page", async () => {
    await queue.append([
      makeEntry("old", { createdAtMs: startMs - 2 * hourMs }),
      ...Array.from({ length: 7 }, (_, index) => makeEntry(`r${String(index)}`)),
      makeEntry("other team", { teamId: "b" }),
      makeEntry("no team", { teamId: null, keyHash: "own key" }),
      makeEntry("other key", { keyHash: "another" }),
    ]);
    await deliver("one");
    const newest = ["other key", "r6", "r5", "r4", "r3", "r2", "r1", "r0"];
    expect(await idsOf({ createdFromMs: startMs - hourMs })).toEqual(newest);
    expect(await idsOf({ limit: 3 })).toEqual([...newest, "old"]);
    expect(await idsOf({ bytesMax: 1 })).toEqual([...newest, "old"]);
    expect(await idsOf({ keyHashes: ["another", "nobody's"] })).toEqual(["other key"]);
    expect(await idsOf({ teamId: null, keyHashes: ["own key"] })).toEqual(["no team"]);
    expect(await idsOf({ teamId: null })).toEqual(["no team"]);
    expect(await idsOf({ teamId: "c" })).toEqual([]);
  });

  test("is found behind thousands of records of others", async () => {
    const others = Array.from({ length: 9000 }, (_, index) => makeEntry(`b${String(index)}`, { teamId: "b" }));
    await queue.append([makeEntry("first"), ...others, makeEntry("last")]);
    expect(await idsOf({ limit: 10 })).toEqual(["last", "first"]);
  });

  test("goes when its call is old enough, and the delivery stays; that of a dead letter stays too", async () => {
    const shared = [{ body: "shared", callbackIds: ["one", "two"] }];
    await queue.append([
      makeEntry("old", { createdAtMs: startMs - 2 * hourMs, contents: shared }),
      makeEntry("young", { contents: shared }),
    ]);
    await deliver("one");
    await deliver("two", "dead");
    const expire = { deliveredBeforeMs: 0, deadBeforeMs: 0, contentBeforeMs: startMs - hourMs };
    expect(await queue.expire(expire)).toBe(0);
    expect(await queue.find({ by: "record", id: "old" })).toMatchObject([{ state: "delivered" }, { state: "dead" }]);
    expect(await countContents()).toBe(2);
    await queue.revise({ filter: { recordIds: ["old"] }, action: "discard", nowMs: startMs });
    expect(await countContents()).toBe(1);
    expect(await idsOf()).toEqual(["young"]);
    await queue.expire({ ...expire, contentBeforeMs: startMs + 1 });
    expect(await countContents()).toBe(1);
    await queue.revise({ filter: {}, action: "replay", nowMs: startMs });
    await deliver("two");
    await queue.expire({ ...expire, contentBeforeMs: startMs + 1 });
    expect(await countContents()).toBe(0);
  });

  test("goes with its team, and with its delivery", async () => {
    await queue.append([makeEntry("r1"), makeEntry("r2", { teamId: "b" })]);
    await deliver("one");
    await queue.purge({ teamId: "a" });
    expect(await idsOf()).toEqual([]);
    expect(await countContents()).toBe(1);
    expect(await queue.expire({ deliveredBeforeMs: startMs + 1, deadBeforeMs: 0, contentBeforeMs: 0 })).toBe(1);
    expect(await countContents()).toBe(0);
  });

  test("stays when its callback is purged, for those that come after it", async () => {
    await queue.append([makeEntry("r1")]);
    await deliver("one");
    expect(await queue.purge({ callbackId: "one" })).toBe(0);
    expect(await idsOf()).toEqual(["r1"]);
  });

  test("is kept no longer once that is switched off", async () => {
    await queue.append([makeEntry("before")]);
    await deliver("one");
    await reopen(false);
    await queue.append([makeEntry("after")]);
    await deliver("one");
    expect(await idsOf()).toEqual(["before"]);
    await queue.expire({ deliveredBeforeMs: 0, deadBeforeMs: 0, contentBeforeMs: startMs + 1 });
    expect(await countContents()).toBe(0);
  });
});
