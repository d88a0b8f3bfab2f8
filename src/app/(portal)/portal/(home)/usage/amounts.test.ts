import { expect, test } from "vitest";
import { toCompact, toCount, toMoney, toShare } from "#app/(portal)/portal/(home)/usage/amounts.ts";

test("small amounts keep the digits that say something", () => {
  expect([0, 0.000123, 0.05, 0.5, 1234.5].map(toMoney)).toEqual(["$0.00", "$0.00012", "$0.05", "$0.50", "$1,234.50"]);
});

test("counts are read at a glance", () => {
  expect([toCount(1234567), toCompact(9999), toCompact(1234567)]).toEqual(["1,234,567", "9,999", "1.2M"]);
});

test("shares of little and of nothing are shares", () => {
  expect([toShare(0, 0), toShare(1, 1000), toShare(1, 2)]).toEqual(["0 %", "0.1 %", "50 %"]);
});
