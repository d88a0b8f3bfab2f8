import { expect, test } from "vitest";
import { toRetryAfterMs } from "#lib/retry-after.ts";

const now = new Date("2026-11-21T12:00:00Z");

test("a wait is read from seconds, with or without a fraction, and from a date", () => {
  expect(toRetryAfterMs("3", now)).toBe(3000);
  expect(toRetryAfterMs(" 0.25 ", now)).toBe(250);
  expect(toRetryAfterMs("Sat, 21 Nov 2026 12:00:07 GMT", now)).toBe(7000);
});

test("a date that has passed is no wait, and what is neither says nothing", () => {
  expect(toRetryAfterMs("Sat, 21 Nov 2026 11:00:00 GMT", now)).toBe(0);
  for (const header of [undefined, "", "  ", "soon", "-5s", "NaN"]) expect(toRetryAfterMs(header, now)).toBeNull();
});
