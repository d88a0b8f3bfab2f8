import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Queue, QueueEntry } from "#logging/queue/queue.ts";
import { type EngineHome, queueEnginesOfFile } from "#testing/queue-engines.ts";

const startMs = Date.parse("2026-01-02T03:04:05Z");
const ageMaxMs = 72 * 3_600_000;
const nowMs = startMs + ageMaxMs;
const reason = "Older than 72 h.";
const request = { ageFromMs: startMs, nowMs, reason };
const failing = [{ callbackId: "failing", status: 503, message: "busy" }];

const makeEntry = (recordId: string, createdAtMs = startMs, callbackIds = ["failing", "well"]): QueueEntry => ({
  recordId,
  callId: recordId,
  teamId: "team-a",
  keyHash: "key-a",
  createdAtMs,
  contents: [{ body: recordId, callbackIds }],
});

describe.each(queueEnginesOfFile())("the age of waiting deliveries in the queue engine $name", ({ make }) => {
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

  const rowOf = async (recordId: string, callbackId: string) =>
    (await queue.find({ by: "record", id: recordId })).find((row) => row.callbackId === callbackId);

  const claim = async (callbackId: string, leaseMs = 1_000, claimedAtMs = startMs) =>
    queue.claim({ callbackId, limit: 100, bytesMax: 1e9, leaseMs, nowMs: claimedAtMs });

  test("what waits behind a failing destination is dead at its age, with the destination's answer", async () => {
    await queue.append([makeEntry("old"), makeEntry("young", startMs + 1)]);
    expect(await queue.buryAged({ ...request, failing })).toEqual([{ callbackId: "failing", count: 1 }]);
    const answer = { status: 503, message: `${reason} Last answer: busy`, tries: 0 };
    expect(await rowOf("old", "failing")).toMatchObject({ state: "dead", settledAtMs: nowMs, ...answer });
    expect(await rowOf("young", "failing")).toMatchObject({ state: "pending", message: null });
    expect(await queue.find({ by: "counts", callbackIds: ["failing"] })).toEqual([
      { callbackId: "failing", state: "pending", count: 1 },
      { callbackId: "failing", state: "dead", count: 1 },
    ]);
    expect(await queue.buryAged({ ...request, failing })).toEqual([]);
  });

  test("what is due, and whose destination is not failing, gets its try first, however old it is", async () => {
    await queue.append([makeEntry("old")]);
    expect(await queue.buryAged({ ...request, failing })).toHaveLength(1);
    expect(await rowOf("old", "well")).toMatchObject({ state: "pending" });
    expect(await queue.buryAged({ ...request, ageFromMs: startMs - 1, failing: [] })).toEqual([]);
  });

  test("what is due far ahead is dead at its age, with the answer of its own last try", async () => {
    await queue.append([makeEntry("far"), makeEntry("near")]);
    const claimed = await claim("well");
    await queue.settle(
      claimed.map(({ deliveryId, recordId }) => {
        const dueAtMs = recordId === "far" ? nowMs + 3_000_000 : nowMs;
        return { deliveryId, state: "pending", dueAtMs, counted: true, status: 429, message: "slow down" };
      }),
      startMs,
    );
    expect(await queue.buryAged({ ...request, failing: [] })).toEqual([{ callbackId: "well", count: 1 }]);
    const answer = { state: "dead", status: 429, message: `${reason} Last answer: slow down`, tries: 1 };
    expect(await rowOf("far", "well")).toMatchObject(answer);
    expect(await rowOf("near", "well")).toMatchObject({ state: "pending" });
  });

  test("what is being sent is left to its settlement", async () => {
    await queue.append([makeEntry("sent")]);
    const [delivery] = await claim("failing", ageMaxMs + 1_000);
    expect(await queue.buryAged({ ...request, failing })).toEqual([]);
    const delivered = {
      deliveryId: delivery?.deliveryId ?? 0,
      state: "delivered",
      status: 200,
      message: "ok",
    } as const;
    await queue.settle([delivered], nowMs);
    expect(await rowOf("sent", "failing")).toMatchObject({ state: "delivered" });
  });

  test("a replay gives a new age, and what was buried keeps its content for it", async () => {
    await queue.append([makeEntry("old")]);
    await queue.buryAged({ ...request, failing });
    expect(await queue.revise({ filter: { recordIds: ["old"] }, action: "replay", nowMs })).toBe(1);
    expect(await queue.buryAged({ ...request, nowMs: nowMs + 1_000, failing })).toEqual([]);
    expect(await claim("failing", 1_000, nowMs)).toMatchObject([{ recordId: "old", body: "old" }]);
  });

  test("many are looked at, also those with the same time, and each is counted once", async () => {
    const entries = Array.from({ length: 2_500 }, (_, index) =>
      makeEntry(`r${String(index)}`, startMs + (index % 5 === 0 ? 1 : 0), ["failing"]),
    );
    await queue.append(entries);
    expect(await queue.buryAged({ ...request, failing })).toEqual([{ callbackId: "failing", count: 2_000 }]);
    expect(await queue.find({ by: "counts" })).toEqual([
      { callbackId: "failing", state: "pending", count: 500 },
      { callbackId: "failing", state: "dead", count: 2_000 },
    ]);
  });
});
