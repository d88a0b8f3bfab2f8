import { describe, expect, test } from "vitest";
import { makeCircuits } from "#logging/circuit.ts";
import { settlementOf } from "#logging/settlement.ts";

const numbers = { triesMax: 3, ageMaxMs: 10_000, retryMinMs: 1_000, retryMaxMs: 8_000 };
const nowMs = 1_000_000;
const delivery = {
  deliveryId: 1,
  recordId: "r",
  callbackId: "c",
  teamId: null,
  keyHash: null,
  createdAtMs: nowMs - 50_000,
  ageFromMs: nowMs - 1,
  tries: 0,
  body: "",
};
const retry = { outcome: "retry", status: 500, message: "no" } as const;

describe("a settlement", () => {
  test("keeps the destination's words, cut to 2,000 characters", () => {
    const settled = settlementOf(
      delivery,
      { outcome: "dead", status: 400, message: "x".repeat(3_000) },
      { nowMs, numbers },
    );
    expect(settled).toEqual({ deliveryId: 1, status: 400, state: "dead", message: "x".repeat(2_000) });
    expect(settlementOf(delivery, { outcome: "delivered", status: 200 }, { nowMs, numbers })).toMatchObject({
      state: "delivered",
      message: "",
    });
  });

  test("of a passing failure counts the try and backs off", () => {
    const settled = settlementOf({ ...delivery, tries: 1 }, retry, { nowMs, numbers });
    expect(settled).toMatchObject({ state: "pending", counted: true });
    const waitMs = settled.state === "pending" ? settled.dueAtMs - nowMs : 0;
    expect(waitMs).toBeGreaterThanOrEqual(1_500);
    expect(waitMs).toBeLessThanOrEqual(2_000);
  });

  test("waits as long as the destination asks", () => {
    expect(settlementOf(delivery, { ...retry, retryAfterMs: 60_000 }, { nowMs, numbers })).toMatchObject({
      dueAtMs: nowMs + 60_000,
    });
  });

  test("waits an hour at most, whatever the destination asks", () => {
    for (const retryAfterMs of [3.1536e11, Infinity, 1e300]) {
      expect(settlementOf(delivery, { ...retry, retryAfterMs }, { nowMs, numbers })).toMatchObject({
        dueAtMs: nowMs + 3_600_000,
      });
    }
  });

  test("keeps no number and no text that a database refuses", () => {
    for (const status of [1e15, -1, 200.5, NaN]) {
      const odd = { outcome: "dead", status, message: "a\0b\ud800" } as const;
      expect(settlementOf(delivery, odd, { nowMs, numbers })).toMatchObject({ status: 0, message: "ab\ufffd" });
    }
  });

  test.each([
    ["of the destination", { ...retry, status: 401, fault: "destination" as const }],
    ["without an answer", { ...retry, status: 0 }],
  ])("of a fault %s uses no try, even the last", (_title, result) => {
    expect(settlementOf({ ...delivery, tries: 2 }, result, { nowMs, numbers })).toMatchObject({
      state: "pending",
      counted: false,
      dueAtMs: nowMs,
    });
  });

  test("is dead after the last try or the age", () => {
    expect(settlementOf({ ...delivery, tries: 2 }, retry, { nowMs, numbers })).toMatchObject({ state: "dead" });
    const old = { ...delivery, ageFromMs: nowMs - 10_000 };
    expect(settlementOf(old, { ...retry, fault: "destination" }, { nowMs, numbers })).toMatchObject({ state: "dead" });
  });
});

const busy = { status: 503, message: "busy" };

describe("a circuit", () => {
  test("opens with a failure, doubles, closes with a success", () => {
    const circuits = makeCircuits(numbers);
    expect(circuits.isOpen("c", nowMs)).toBe(false);
    circuits.fail("c", nowMs);
    expect([circuits.isOpen("c", nowMs + 749), circuits.isOpen("c", nowMs + 1_000)]).toEqual([true, false]);
    for (let failures = 0; failures < 40; failures += 1) circuits.fail("c", nowMs);
    expect([circuits.isOpen("c", nowMs + 5_999), circuits.isOpen("c", nowMs + 8_000)]).toEqual([true, false]);
    expect(circuits.isOpen("other", nowMs)).toBe(false);
    circuits.succeed("c");
    expect([circuits.isOpen("c", nowMs), circuits.isSuspect("c")]).toEqual([false, false]);
  });

  test("stays open as long as the destination asks", () => {
    const circuits = makeCircuits(numbers);
    circuits.fail("c", nowMs, { ...busy, retryAfterMs: 60_000 });
    expect(circuits.isOpen("c", nowMs + 59_999)).toBe(true);
  });

  test("is open for an hour at most, whatever the destination asks", () => {
    const circuits = makeCircuits(numbers);
    circuits.fail("c", nowMs, { ...busy, retryAfterMs: 3.1536e11 });
    expect([circuits.isOpen("c", nowMs + 3_599_999), circuits.isOpen("c", nowMs + 3_600_000)]).toEqual([true, false]);
  });

  test("is tried at once after a change, and still counts as suspect", () => {
    const circuits = makeCircuits(numbers);
    circuits.fail("c", nowMs, { ...busy, retryAfterMs: 60_000 });
    expect(circuits.failing()).toEqual([{ callbackId: "c", ...busy }]);
    circuits.clear();
    expect([circuits.isOpen("c", nowMs), circuits.isSuspect("c")]).toEqual([false, true]);
    expect(circuits.failing()).toEqual([]);
  });
});
