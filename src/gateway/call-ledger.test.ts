import { expect, test } from "vitest";
import { makeCallLedger } from "#gateway/call-ledger.ts";
import { setLogger } from "#lib/logger.ts";
import { makeRecord } from "#testing/make-record.ts";

setLogger("silent");

test("what a call holds is given back once, early, at the close or after it", () => {
  const given: string[] = [];
  const ledger = makeCallLedger();
  const early = ledger.hold(() => given.push("early"));
  ledger.hold(() => {
    throw new Error("broken");
  });
  ledger.hold(() => given.push("close"));
  early();
  early();
  ledger.close();
  ledger.close();
  early();
  expect(given).toEqual(["early", "close"]);
  ledger.hold(() => given.push("late"))();
  ledger.close();
  expect(given).toEqual(["early", "close", "late"]);
});

test("a record is claimed once and counted once, whatever one of its counts throws", () => {
  const counted: string[] = [];
  const ledger = makeCallLedger();
  ledger.count(() => {
    throw new Error("broken");
  });
  ledger.count(({ recordId }) => counted.push(recordId));
  expect([ledger.record(), ledger.record()]).toEqual([true, false]);
  const record = makeRecord();
  ledger.settle(record);
  ledger.settle(record);
  expect(counted).toEqual([record.recordId]);
});
