import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DeliveryFilter, DeliveryRow, Queue, QueueEntry } from "#logging/queue/queue.ts";
import { type EngineHome, queueEnginesOfFile } from "#testing/queue-engines.ts";

const engines = queueEnginesOfFile();

const startMs = Date.parse("2026-01-02T03:04:05Z");

function makeEntry(recordId: string, change: Partial<QueueEntry> = {}): QueueEntry {
  const contents = [{ body: `{"recordId":"${recordId}"}`, callbackIds: ["one"] }];
  return { recordId, callId: recordId, teamId: "a", keyHash: null, createdAtMs: startMs, contents, ...change };
}

describe.each(engines)("dead letters of the queue engine $name", ({ make }) => {
  let home: EngineHome;
  let queue: Queue;

  beforeEach(async () => {
    home = make();
    queue = await home.open();
  });

  afterEach(async () => {
    await queue.close();
    await home.remove();
  });

  function claim(callbackId: string, limit = 1000, nowMs = startMs) {
    return queue.claim({ callbackId, limit, bytesMax: 1e9, leaseMs: 1000, nowMs });
  }

  /** Settles what is due for a callback with this status: dead, or delivered where it is 200. */
  async function settle(status: number, { callbackId = "one", limit = 1000 } = {}) {
    const claimed = await claim(callbackId, limit);
    const state = status === 200 ? "delivered" : "dead";
    await queue.settle(
      claimed.map(({ deliveryId }) => ({ deliveryId, state, status, message: `${String(status)}!` }) as const),
      startMs + 10,
    );
  }

  async function listAll(filter: DeliveryFilter, limit = 100): Promise<DeliveryRow[]> {
    const rows: DeliveryRow[] = [];
    let before: number | null = null;
    do {
      const page = await queue.list({ filter, before, limit });
      expect(page.rows.length).toBeLessThanOrEqual(limit);
      rows.push(...page.rows);
      before = page.next;
    } while (before !== null);
    return rows;
  }

  async function idsOf(filter: DeliveryFilter): Promise<string[]> {
    return (await listAll(filter)).map(({ recordId }) => recordId);
  }

  async function countContents(): Promise<number> {
    await queue.close();
    const count = await home.contents();
    queue = await home.open();
    return count;
  }

  test("lists deliveries page by page, the newest first, each once", async () => {
    await queue.append(Array.from({ length: 5 }, (_, index) => makeEntry(`r${String(index)}`)));
    await settle(200, { limit: 2 });
    expect((await queue.list({ filter: {}, before: null, limit: 2 })).rows.map(({ recordId }) => recordId)).toEqual([
      "r4",
      "r3",
    ]);
    expect((await listAll({}, 2)).map(({ recordId }) => recordId)).toEqual(["r4", "r3", "r2", "r1", "r0"]);
    expect(await idsOf({ states: ["delivered"] })).toEqual(["r1", "r0"]);
    expect((await listAll({ recordIds: ["r0"] }))[0]).toEqual((await queue.find({ by: "record", id: "r0" }))[0]);
  });

  test("lists what fits all of callback, team, state, time, status and record", async () => {
    const two = [{ body: "{}", callbackIds: ["two"] }];
    await queue.append([
      makeEntry("r1"),
      makeEntry("r2", { teamId: "b", createdAtMs: startMs - 500 }),
      makeEntry("r3", { teamId: null, contents: two }),
    ]);
    await settle(400, { limit: 1 });
    await settle(0, { callbackId: "two" });
    expect(await idsOf({ callbackIds: ["two"] })).toEqual(["r3"]);
    expect(await idsOf({ callbackIds: ["one", "two"] })).toEqual(["r3", "r2", "r1"]);
    expect(await idsOf({ teamIds: ["a", "b"] })).toEqual(["r2", "r1"]);
    expect(await idsOf({ teamIds: [] })).toEqual([]);
    expect(await idsOf({ states: ["dead"] })).toEqual(["r3", "r2"]);
    expect(await idsOf({ states: ["dead"], statuses: [{ from: 400, to: 499 }] })).toEqual(["r2"]);
    expect(await idsOf({ statuses: [{ from: 0, to: 0 }] })).toEqual(["r3"]);
    const all = { callbackIds: ["one"], teamIds: ["b"], states: ["dead"], statuses: [{ from: 400, to: 400 }] } as const;
    expect(await idsOf({ ...all, createdFromMs: startMs - 500, createdBeforeMs: startMs })).toEqual(["r2"]);
    expect(await idsOf({ createdFromMs: startMs })).toEqual(["r3", "r1"]);
    expect(await idsOf({ createdBeforeMs: startMs, teamIds: ["a"] })).toEqual([]);
    expect(await idsOf({ recordIds: ["r1", "r3", "r9"], teamIds: ["a"] })).toEqual(["r1"]);
  });

  test("finds a rare delivery among very many others", async () => {
    for (let group = 0; group < 5; group += 1) {
      await queue.append(Array.from({ length: 2000 }, (_, index) => makeEntry(`g${String(group)}-${String(index)}`)));
      await queue.append([
        makeEntry(`rare${String(group)}`, { teamId: "rare" }),
        ...Array.from({ length: 2000 }, (_, index) => makeEntry(`g${String(group)}+${String(index)}`)),
      ]);
    }
    await settle(400, { limit: 9_000 });
    // Again, because an engine may keep what it found out.
    for (let round = 0; round < 2; round += 1) {
      expect(await idsOf({ teamIds: ["rare"] })).toEqual(["rare4", "rare3", "rare2", "rare1", "rare0"]);
      expect(await idsOf({ teamIds: ["rare"], states: ["dead"] })).toEqual(["rare1", "rare0"]);
      expect(await idsOf({ teamIds: ["rare"], states: ["dead"], statuses: [{ from: 500, to: 599 }] })).toEqual([]);
      expect(await idsOf({ teamIds: ["rare"], states: ["pending"] })).toEqual(["rare4", "rare3", "rare2"]);
      expect((await listAll({ teamIds: ["rare"] }, 2)).map(({ recordId }) => recordId)).toHaveLength(5);
    }
  });

  test("a team's deliveries are all listed after newer ones of others were removed and more came", async () => {
    await queue.append([makeEntry("rare1", { teamId: "rare" })]);
    for (let group = 0; group < 5; group += 1) {
      await queue.append(Array.from({ length: 1000 }, (_, index) => makeEntry(`g${String(group)}-${String(index)}`)));
    }
    expect(await idsOf({ teamIds: ["rare"] })).toEqual(["rare1"]);
    await queue.purge({ teamId: "a" });
    await queue.append([makeEntry("rare2", { teamId: "rare" })]);
    expect(await idsOf({ teamIds: ["rare"] })).toEqual(["rare2", "rare1"]);
  });

  test("replays the selected dead letters with their content, as if they had just been queued", async () => {
    await queue.append([makeEntry("r1"), makeEntry("r2"), makeEntry("r3", { teamId: "b" }), makeEntry("r4")]);
    await settle(400, { limit: 3 });
    await settle(200);
    const replay = { action: "replay", nowMs: startMs + 5_000 } as const;
    expect(await queue.revise({ filter: { teamIds: ["a"], recordIds: ["r1", "r3", "r4"] }, ...replay })).toBe(1);
    expect(await queue.find({ by: "counts" })).toEqual([
      { callbackId: "one", state: "pending", count: 1 },
      { callbackId: "one", state: "delivered", count: 1 },
      { callbackId: "one", state: "dead", count: 2 },
    ]);
    expect(await claim("one", 9, startMs + 4_999)).toEqual([]);
    expect(await claim("one", 9, startMs + 5_000)).toMatchObject([
      { recordId: "r1", tries: 0, createdAtMs: startMs, ageFromMs: startMs + 5_000, body: '{"recordId":"r1"}' },
    ]);
    expect(await queue.find({ by: "record", id: "r1" })).toMatchObject([{ state: "pending", settledAtMs: null }]);
    expect(await queue.revise({ filter: {}, ...replay })).toBe(2);
    expect(await queue.revise({ filter: {}, ...replay })).toBe(0);
  });

  test("replays deliveries that wait, by record, callback, team, time and answer, and no others", async () => {
    const two = [{ body: "{}", callbackIds: ["two"] }];
    await queue.append([
      makeEntry("far"),
      makeEntry("tried"),
      makeEntry("other callback", { contents: two }),
      makeEntry("other team", { teamId: "b" }),
      makeEntry("other time", { createdAtMs: startMs - 500 }),
    ]);
    const yearMs = 31_536_000_000;
    for (const callbackId of ["one", "two"]) {
      const claimed = await claim(callbackId);
      await queue.settle(
        claimed.map(({ deliveryId, recordId }) => {
          const [status, waitMs] = recordId === "tried" ? [401, 0] : [503, 10 * yearMs];
          return { deliveryId, state: "pending", dueAtMs: startMs + 1 + waitMs, counted: true, status, message: "no" };
        }),
        startMs,
      );
    }
    await queue.append([makeEntry("new")]);
    const replay = { action: "replay", nowMs: startMs + 1_000 } as const;
    expect(await queue.revise({ filter: { recordIds: ["far", "new", "unknown"] }, ...replay })).toBe(1);
    expect(await queue.revise({ filter: { recordIds: ["far"] }, ...replay })).toBe(0);
    expect(await queue.revise({ filter: { statuses: [{ from: 401, to: 401 }] }, ...replay })).toBe(1);
    expect(await queue.revise({ filter: { callbackIds: ["two"] }, ...replay })).toBe(1);
    expect(await queue.revise({ filter: { teamIds: ["b"] }, ...replay })).toBe(1);
    expect(await queue.revise({ filter: { createdBeforeMs: startMs }, ...replay })).toBe(1);
    expect(await queue.revise({ filter: {}, ...replay })).toBe(0);
    expect(await queue.revise({ filter: {}, action: "discard", nowMs: startMs })).toBe(0);
    const claimed = await claim("one", 9, startMs + 1_000);
    expect(claimed.map(({ recordId, tries }) => [recordId, tries])).toEqual([
      ["new", 0],
      ...["far", "tried", "other team", "other time"].map((recordId) => [recordId, 0]),
    ]);
    expect(await claim("two", 9, startMs + 1_000)).toMatchObject([{ ageFromMs: startMs + 1_000 }]);
    expect(await queue.find({ by: "counts" })).toEqual([
      { callbackId: "one", state: "pending", count: 5 },
      { callbackId: "two", state: "pending", count: 1 },
    ]);
  });

  test("discards the selected dead letters with their content, and touches no others", async () => {
    const shared = [{ body: "{}", callbackIds: ["one", "two"] }];
    await queue.append([makeEntry("r1", { contents: shared }), makeEntry("r2"), makeEntry("r3")]);
    await settle(400, { limit: 2 });
    const discard = { action: "discard", nowMs: startMs + 5_000 } as const;
    expect(await queue.revise({ filter: { statuses: [{ from: 401, to: 499 }] }, ...discard })).toBe(0);
    expect(await queue.revise({ filter: { callbackIds: ["one"] }, ...discard })).toBe(2);
    expect(await queue.find({ by: "counts" })).toEqual([
      { callbackId: "one", state: "pending", count: 1 },
      { callbackId: "one", state: "suppressed", count: 2 },
      { callbackId: "two", state: "pending", count: 1 },
    ]);
    expect(await queue.find({ by: "record", id: "r2" })).toMatchObject([
      { state: "suppressed", status: 400, message: "400!", settledAtMs: startMs + 5_000 },
    ]);
    expect(await queue.revise({ filter: {}, action: "replay", nowMs: startMs })).toBe(0);
    expect(await countContents()).toBe(2);
    expect(await claim("two")).toMatchObject([{ recordId: "r1", body: "{}" }]);
  });

  test("after any sequence of changes the counts are those of the rows, and every queued delivery is counted", async () => {
    let seed = 7;
    const roll = (sides: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % sides;
    };
    let queued = 0;
    const callbacks = ["one", "two", "three"];
    for (let step = 0; step < 120; step += 1) {
      const callbackId = callbacks[roll(3)] ?? "one";
      const filter = { callbackIds: [callbackId] };
      switch (roll(6)) {
        case 0:
        case 1: {
          const callbackIds = callbacks.slice(0, 1 + roll(3));
          queued += callbackIds.length;
          await queue.append([makeEntry(`r${String(step)}`, { contents: [{ body: "{}", callbackIds }] })]);
          break;
        }
        case 2:
          await settle(roll(2) === 0 ? 200 : 400, { callbackId, limit: 1 + roll(3) });
          break;
        case 3:
          await queue.revise({ filter, action: roll(3) === 0 ? "discard" : "replay", nowMs: startMs });
          break;
        case 4:
          if (roll(6) === 0) await queue.purge({ callbackId });
          break;
        default:
          await claim(callbackId, 1, startMs - 1);
      }
    }
    const rows = Map.groupBy(await listAll({}), ({ callbackId, state }) => `${callbackId} ${state}`);
    const counts = await queue.find({ by: "counts" });
    expect(counts.map(({ callbackId, state, count }) => [`${callbackId} ${state}`, count]).toSorted()).toEqual(
      [...rows].map(([key, { length }]) => [key, length]).toSorted(),
    );
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(queued);
    expect(new Set(counts.map(({ state }) => state))).toEqual(new Set(["pending", "delivered", "dead", "suppressed"]));
  });
});
