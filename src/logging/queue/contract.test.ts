import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClaimRequest, Queue, QueueEntry } from "#logging/queue/queue.ts";
import { type EngineHome, queueEnginesOfFile } from "#testing/queue-engines.ts";

const engines = queueEnginesOfFile();

const startMs = Date.parse("2026-01-02T03:04:05Z");

function makeEntry(recordId: string, change: Partial<QueueEntry> = {}): QueueEntry {
  const body = JSON.stringify({ recordId, text: "hello" });
  return {
    recordId,
    callId: `call of ${recordId}`,
    teamId: "team-a",
    keyHash: "key-a",
    createdAtMs: startMs,
    contents: [{ body, callbackIds: ["one"] }],
    ...change,
  };
}

function request(callbackId: string, change: Partial<ClaimRequest> = {}): ClaimRequest {
  return { callbackId, limit: 100, bytesMax: 10_000_000, leaseMs: 1000, nowMs: startMs, ...change };
}

const ok = { status: 200, message: "ok" };

describe.each(engines)("the queue engine $name", ({ make }) => {
  let home: EngineHome;
  let queue: Queue;

  async function reopen() {
    await queue.close();
    queue = await home.open();
  }

  /** How many contents are stored. */
  async function countContents(): Promise<number> {
    await queue.close();
    const count = await home.contents();
    queue = await home.open();
    return count;
  }

  async function claimIds(callbackId: string, change: Partial<ClaimRequest> = {}): Promise<string[]> {
    return (await queue.claim(request(callbackId, change))).map(({ recordId }) => recordId);
  }

  /** Claims what is due for a callback and settles all of it as delivered. */
  async function deliver(callbackId: string, nowMs = startMs) {
    const claimed = await queue.claim(request(callbackId, { nowMs }));
    await queue.settle(
      claimed.map(({ deliveryId }) => ({ deliveryId, state: "delivered", ...ok })),
      nowMs,
    );
    return claimed.length;
  }

  beforeEach(async () => {
    home = make();
    queue = await home.open();
  });

  afterEach(async () => {
    await queue.close();
    await home.remove();
  });

  test("hands out what was appended, character for character, small and large, also after reopening", async () => {
    const bodies = [0, 1, 100, 8191, 8192, 500_000].map((size) =>
      `{"text":"größe 🦦 ${String(size)}"}`.repeat(Math.ceil(size / 16)).slice(0, size),
    );
    await queue.append(
      bodies.map((body, index) => makeEntry(`r${String(index)}`, { contents: [{ body, callbackIds: ["one"] }] })),
    );
    await reopen();
    const claimed = await queue.claim(request("one"));
    expect(claimed.map(({ body }) => body)).toEqual(bodies);
    expect(claimed[0]).toMatchObject({ recordId: "r0", callbackId: "one", teamId: "team-a", tries: 0 });
    expect(claimed[0]?.createdAtMs).toBe(startMs);
  });

  test("keeps records without a team and without a key", async () => {
    await queue.append([makeEntry("r1", { teamId: null, keyHash: null })]);
    expect(await queue.claim(request("one"))).toMatchObject([{ recordId: "r1", teamId: null }]);
  });

  test("appending a record again changes nothing, pending or delivered", async () => {
    await queue.append([makeEntry("r1")]);
    await queue.append([makeEntry("r1", { contents: [{ body: "other", callbackIds: ["one"] }] })]);
    const claimed = await queue.claim(request("one"));
    expect(claimed.map(({ body }) => body)).toEqual(['{"recordId":"r1","text":"hello"}']);
    await queue.settle([{ deliveryId: claimed[0]?.deliveryId ?? 0, state: "delivered", ...ok }], startMs);
    await queue.append([makeEntry("r1")]);
    expect(await claimIds("one")).toEqual([]);
    expect(await countContents()).toBe(0);
    expect(await queue.find({ by: "counts" })).toEqual([{ callbackId: "one", state: "delivered", count: 1 }]);
  });

  test("claims the oldest first, within the limits, and at least one", async () => {
    const body = "x".repeat(4000);
    const ages = [30, 10, 20];
    await queue.append(
      ages.map((age) =>
        makeEntry(`age${String(age)}`, { createdAtMs: startMs - age, contents: [{ body, callbackIds: ["one"] }] }),
      ),
    );
    expect(await claimIds("one", { limit: 1 })).toEqual(["age30"]);
    expect(await claimIds("one", { bytesMax: 1 })).toEqual(["age20"]);
    expect(await claimIds("one")).toEqual(["age10"]);
  });

  test("its limits are about contents as they are handed out, however small they are stored", async () => {
    const contents = [{ body: "x".repeat(100_000), callbackIds: ["one"] }];
    await queue.append(["r1", "r2", "r3"].map((id) => makeEntry(id, { contents })));
    expect(await claimIds("one", { bytesMax: 150_000 })).toEqual(["r1"]);
    expect(await claimIds("one", { bytesMax: 250_000 })).toEqual(["r2", "r3"]);
  });

  test("hands out nothing under a lease, and all of it again when the lease has ended", async () => {
    await queue.append([makeEntry("r1"), makeEntry("r2")]);
    expect(await claimIds("one", { limit: 1 })).toEqual(["r1"]);
    expect(await claimIds("one")).toEqual(["r2"]);
    expect(await claimIds("one", { nowMs: startMs + 999 })).toEqual([]);
    expect(await claimIds("one", { nowMs: startMs + 1000 })).toEqual(["r1", "r2"]);
  });

  test("a settlement under an ended lease does not touch the newer lease", async () => {
    await queue.append([makeEntry("r1")]);
    const [first] = await queue.claim(request("one"));
    const [second] = await queue.claim(request("one", { nowMs: startMs + 5000 }));
    await queue.settle([{ deliveryId: first?.deliveryId ?? 0, state: "dead", status: 400, message: "late" }], startMs);
    expect(await claimIds("one", { nowMs: startMs + 5001 })).toEqual([]);
    await queue.settle([{ deliveryId: second?.deliveryId ?? 0, state: "delivered", ...ok }], startMs);
    expect(await queue.find({ by: "record", id: "r1" })).toMatchObject([{ state: "delivered", message: "ok" }]);
  });

  test("one callback's backlog or leases do not hold up another's", async () => {
    await queue.append(Array.from({ length: 200 }, (_, index) => makeEntry(`slow${String(index)}`)));
    await queue.append([makeEntry("r1", { contents: [{ body: "1", callbackIds: ["one", "two"] }] })]);
    expect(await claimIds("two")).toEqual(["r1"]);
    expect(await claimIds("one")).toHaveLength(100);
    expect(await claimIds("unknown")).toEqual([]);
  });

  test("a passing failure is due later and counts the try only where it should", async () => {
    await queue.append([makeEntry("r1")]);
    for (const [index, counted] of [true, false].entries()) {
      const [claimed] = await queue.claim(request("one", { nowMs: startMs + index * 5000 }));
      const again = { status: 503, message: "busy", dueAtMs: startMs + (index + 1) * 5000, counted };
      await queue.settle([{ deliveryId: claimed?.deliveryId ?? 0, state: "pending", ...again }], startMs);
    }
    expect(await claimIds("one", { nowMs: startMs + 9999 })).toEqual([]);
    const [row] = await queue.find({ by: "record", id: "r1" });
    expect(row).toMatchObject({ state: "pending", tries: 1, status: 503, message: "busy", dueAtMs: startMs + 10_000 });
    expect(await queue.claim(request("one", { nowMs: startMs + 10_000 }))).toMatchObject([{ tries: 1 }]);
  });

  test("what is released is due at once, and shows and counts what it did before it was claimed", async () => {
    await queue.append([makeEntry("new"), makeEntry("tried")]);
    const [, tried] = await queue.claim(request("one"));
    const busy = { status: 503, message: "busy", dueAtMs: startMs + 10, counted: true };
    await queue.settle([{ deliveryId: tried?.deliveryId ?? 0, state: "pending", ...busy }], startMs);
    const nowMs = startMs + 5000;
    const claimed = await queue.claim(request("one", { nowMs }));
    expect(claimed).toHaveLength(2);
    const before = [
      ...(await queue.find({ by: "record", id: "new" })),
      ...(await queue.find({ by: "record", id: "tried" })),
    ];
    expect(before).toMatchObject([
      { tries: 0, status: null, message: null },
      { tries: 1, status: 503, message: "busy" },
    ]);
    await queue.settle(
      claimed.map(({ deliveryId }) => ({ deliveryId, state: "released" })),
      nowMs,
    );
    expect([
      ...(await queue.find({ by: "record", id: "new" })),
      ...(await queue.find({ by: "record", id: "tried" })),
    ]).toEqual(before);
    expect(await queue.find({ by: "counts" })).toEqual([{ callbackId: "one", state: "pending", count: 2 }]);
    expect(await claimIds("one", { nowMs })).toEqual(["new", "tried"]);
  });

  test("content is stored once per result, and goes with its last pending or dead delivery", async () => {
    const full = { body: "full", callbackIds: ["one", "two"] };
    await queue.append([makeEntry("r1", { contents: [full, { body: "cut", callbackIds: ["three"] }] })]);
    expect(await countContents()).toBe(2);
    await deliver("one");
    expect(await countContents()).toBe(2);
    await deliver("three");
    expect(await countContents()).toBe(1);
    const [claimed] = await queue.claim(request("two"));
    expect(claimed?.body).toBe("full");
    await queue.settle([{ deliveryId: claimed?.deliveryId ?? 0, state: "dead", status: 400, message: "no" }], startMs);
    expect(await countContents()).toBe(1);
    expect(await queue.expire({ deliveredBeforeMs: 0, deadBeforeMs: startMs + 1, contentBeforeMs: 0 })).toBe(1);
    expect(await countContents()).toBe(0);
  });

  test("content that does not open makes its delivery dead and holds up nobody", async () => {
    await queue.append([makeEntry("r1"), makeEntry("r2"), makeEntry("r3")]);
    await queue.close();
    await home.damage("r1");
    queue = await home.open();
    expect(await claimIds("one", { limit: 1 })).toEqual(["r2"]);
    expect(await claimIds("one")).toEqual(["r3"]);
    const [row] = await queue.find({ by: "record", id: "r1" });
    expect(row).toMatchObject({ state: "dead", status: 0, tries: 0, settledAtMs: startMs });
    expect(row?.message).toMatch(/^The queued content cannot be opened: /);
  });

  test("purging a team leaves no row of it, and touches no other team", async () => {
    const dead = { state: "dead", status: 400, message: "no" } as const;
    await queue.append([makeEntry("r1"), makeEntry("r2"), makeEntry("r3"), makeEntry("r4", { teamId: "team-b" })]);
    const [first, second, third] = await queue.claim(request("one"));
    await queue.settle([{ deliveryId: first?.deliveryId ?? 0, state: "delivered", ...ok }], startMs);
    await queue.settle([{ deliveryId: second?.deliveryId ?? 0, ...dead }], startMs);
    expect(await queue.purge({ teamId: "team-a" })).toBe(1);
    await queue.settle([{ deliveryId: third?.deliveryId ?? 0, ...dead }], startMs);
    for (const id of ["r1", "r2", "r3"]) expect(await queue.find({ by: "record", id })).toEqual([]);
    expect(await queue.find({ by: "counts" })).toEqual([{ callbackId: "one", state: "pending", count: 1 }]);
    expect(await countContents()).toBe(1);
    // Leases that outlive the process have ended by then.
    expect(await claimIds("one", { nowMs: startMs + 1000 })).toEqual(["r4"]);
    expect(await queue.purge({ teamId: "team-a" })).toBe(0);
  });

  test("purging a team leaves no row of it after old rows were removed, also where none was old", async () => {
    await queue.append([makeEntry("r1"), makeEntry("r2")]);
    expect(await queue.expire({ deliveredBeforeMs: 0, deadBeforeMs: 0, contentBeforeMs: 0 })).toBe(0);
    expect((await queue.list({ filter: { teamIds: ["team-a"] }, before: null, limit: 5 })).rows).toHaveLength(2);
    expect(await queue.purge({ teamId: "team-a" })).toBe(2);
    for (const id of ["r1", "r2"]) expect(await queue.find({ by: "record", id })).toEqual([]);
  });

  test("purging finds every row of a team among those of others, also what came after an earlier purge", async () => {
    const teams = ["team-a", "team-b", "team-c"];
    for (const round of [1, 2]) {
      await queue.append(
        Array.from({ length: 6000 }, (_, index) =>
          makeEntry(`round${String(round)}-${String(index)}`, { teamId: teams[index % 3] ?? null }),
        ),
      );
      expect(await queue.purge({ teamId: "team-b" })).toBe(2000);
      expect(await queue.find({ by: "counts" })).toMatchObject([{ state: "pending", count: 4000 * round }]);
      await reopen();
    }
  });

  test("purging a team's earlier calls leaves those that began at that time or later", async () => {
    await queue.append([
      makeEntry("r1", { createdAtMs: startMs - 1 }),
      makeEntry("r2"),
      makeEntry("r3", { teamId: "team-b", createdAtMs: startMs - 1 }),
    ]);
    expect(await queue.purge({ teamId: "team-a", createdBeforeMs: startMs })).toBe(1);
    expect(await queue.find({ by: "record", id: "r1" })).toEqual([]);
    expect((await claimIds("one")).toSorted()).toEqual(["r2", "r3"]);
    expect(await queue.purge({ teamId: "team-a" })).toBe(1);
  });

  test("purging many teams at once takes of each what it may, and touches no other team", async () => {
    const of = (recordId: string, teamId: string, createdAtMs = startMs) =>
      makeEntry(recordId, { teamId, createdAtMs });
    await queue.append([of("a1", "team-a"), of("b1", "team-b", startMs - 10), of("b2", "team-b"), of("c1", "team-c")]);
    const teams = [{ teamId: "team-a" }, { teamId: "team-b", createdBeforeMs: startMs }, { teamId: "team-z" }];
    expect(await queue.purge({ teams })).toBe(2);
    expect(await queue.purge({ teams: [] })).toBe(0);
    expect((await claimIds("one")).toSorted()).toEqual(["b2", "c1"]);
  });

  test("purging a callback suppresses what is pending and drops its content, but not another callback's", async () => {
    const body = "shared";
    await queue.append([
      makeEntry("r1", { contents: [{ body, callbackIds: ["one", "two"] }] }),
      makeEntry("r2", { contents: [{ body, callbackIds: ["one"] }] }),
    ]);
    const [claimed] = await queue.claim(request("one", { limit: 1 }));
    expect(await queue.purge({ callbackId: "one" })).toBe(2);
    await queue.settle([{ deliveryId: claimed?.deliveryId ?? 0, state: "delivered", ...ok }], startMs);
    expect(await claimIds("one", { nowMs: startMs + 9000 })).toEqual([]);
    expect(await queue.find({ by: "record", id: "r2" })).toMatchObject([{ state: "suppressed", callbackId: "one" }]);
    expect(await queue.find({ by: "counts" })).toEqual([
      { callbackId: "one", state: "suppressed", count: 2 },
      { callbackId: "two", state: "pending", count: 1 },
    ]);
    expect(await queue.find({ by: "counts", callbackIds: ["two", "unknown"] })).toEqual([
      { callbackId: "two", state: "pending", count: 1 },
    ]);
    expect(await queue.find({ by: "counts", callbackIds: [] })).toEqual([]);
    expect(await countContents()).toBe(1);
    expect(await claimIds("two")).toEqual(["r1"]);
    expect(await queue.purge({ callbackId: "unknown" })).toBe(0);
  });

  test("finds deliveries by record and by call, also where both ids are the same", async () => {
    const contents = [{ body: "1", callbackIds: ["one", "two"] }];
    await queue.append([makeEntry("r1", { callId: "shared", contents }), makeEntry("r2", { callId: "shared" })]);
    await queue.append([makeEntry("r3", { callId: "r3" })]);
    const rows = await queue.find({ by: "call", id: "shared" });
    expect(rows.map(({ recordId, callbackId }) => [recordId, callbackId])).toEqual([
      ["r1", "one"],
      ["r1", "two"],
      ["r2", "one"],
    ]);
    expect(await queue.find({ by: "record", id: "r1" })).toHaveLength(2);
    expect(await queue.find({ by: "call", id: "r1" })).toEqual([]);
    expect(await queue.find({ by: "call", id: "r3" })).toEqual([
      {
        ...{ recordId: "r3", callId: "r3", callbackId: "one", teamId: "team-a", keyHash: "key-a" },
        ...{ state: "pending", tries: 0 },
        ...{ createdAtMs: startMs, dueAtMs: startMs, settledAtMs: null, status: null, message: null },
      },
    ]);
  });

  test("tells which callbacks have work that is due and not handed out", async () => {
    const both = [{ body: "1", callbackIds: ["one", "two"] }];
    await queue.append([makeEntry("r1", { contents: both }), makeEntry("r2", { createdAtMs: startMs + 500 })]);
    expect(await queue.find({ by: "due", nowMs: startMs - 1 })).toEqual([]);
    expect(await queue.find({ by: "due", nowMs: startMs })).toEqual([
      { callbackId: "one", dueAtMs: startMs },
      { callbackId: "two", dueAtMs: startMs },
    ]);
    await queue.claim(request("one"));
    await deliver("two");
    expect(await queue.find({ by: "due", nowMs: startMs + 999 })).toEqual([
      { callbackId: "one", dueAtMs: startMs + 500 },
    ]);
    expect(await queue.find({ by: "due", nowMs: startMs + 1000 })).toEqual([{ callbackId: "one", dueAtMs: startMs }]);
  });

  test("what a clock that was set back left far in the future is due at once, and what is due soon stays", async () => {
    await queue.append(["far", "soon"].map((id) => makeEntry(id)));
    const claimed = await queue.claim(request("one"));
    await queue.settle(
      claimed.map(({ deliveryId, recordId }) => {
        const dueAtMs = startMs + (recordId === "far" ? 7_200_000 : 60_000);
        return { deliveryId, state: "pending", dueAtMs, counted: false, status: 503, message: "" };
      }),
      startMs,
    );
    await queue.hasten({ laterThanMs: startMs + 300_000, nowMs: startMs });
    expect(await claimIds("one")).toEqual(["far"]);
  });

  test("a lease that a clock far ahead made is over, and whoever has it may still settle", async () => {
    await queue.append([makeEntry("r1"), makeEntry("r2")]);
    const [first] = await queue.claim(request("one", { limit: 1, leaseMs: 31_536_000_000 }));
    await queue.hasten({ laterThanMs: startMs + 3_600_000, nowMs: startMs });
    await queue.settle([{ deliveryId: first?.deliveryId ?? 0, state: "delivered", ...ok }], startMs);
    await queue.claim(request("one", { limit: 1, leaseMs: 31_536_000_000 }));
    expect(await claimIds("one")).toEqual([]);
    await queue.hasten({ laterThanMs: startMs + 3_600_000, nowMs: startMs });
    expect(await claimIds("one")).toEqual(["r2"]);
  });

  test("expires settled rows that are older than the time of their kind, and no others", async () => {
    await queue.append([makeEntry("old"), makeEntry("dead"), makeEntry("new"), makeEntry("waiting")]);
    const [old, dead, fresh] = await queue.claim(request("one", { limit: 3 }));
    await queue.settle([{ deliveryId: old?.deliveryId ?? 0, state: "delivered", ...ok }], startMs + 10);
    await queue.settle(
      [{ deliveryId: dead?.deliveryId ?? 0, state: "dead", status: 400, message: "no" }],
      startMs + 10,
    );
    await queue.settle([{ deliveryId: fresh?.deliveryId ?? 0, state: "delivered", ...ok }], startMs + 20);
    expect(
      await queue.expire({ deliveredBeforeMs: startMs + 20, deadBeforeMs: startMs + 10, contentBeforeMs: 0 }),
    ).toBe(1);
    expect(await queue.find({ by: "record", id: "old" })).toEqual([]);
    expect(await queue.find({ by: "counts" })).toEqual([
      { callbackId: "one", state: "pending", count: 1 },
      { callbackId: "one", state: "delivered", count: 1 },
      { callbackId: "one", state: "dead", count: 1 },
    ]);
  });

  test("tells what it takes on the disk: no less than what it holds", async () => {
    const bodies = Array.from({ length: 10 }, () => randomBytes(50_000).toString("base64"));
    const entries = bodies.map((body, index) =>
      makeEntry(`r${String(index)}`, { contents: [{ body, callbackIds: ["one"] }] }),
    );
    await queue.append(entries);
    const [size, ...others] = await queue.sizes();
    expect(size?.bytes).toBeGreaterThan(500_000);
    expect(others).toEqual([]);
  });

  test("a group with one record that cannot be stored is kept not at all", async () => {
    const { proxy, revoke } = Proxy.revocable(makeEntry("r2").contents, {});
    revoke();
    await expect(queue.append([makeEntry("r1"), makeEntry("r2", { contents: proxy })])).rejects.toThrow(Error);
    expect(await queue.find({ by: "record", id: "r1" })).toEqual([]);
    expect(await queue.find({ by: "counts" })).toEqual([]);
    await queue.append([makeEntry("r1")]);
    expect(await claimIds("one")).toEqual(["r1"]);
  });
});
