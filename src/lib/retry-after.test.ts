import { expect, test } from "vitest";
import { UpstreamError } from "#lib/errors.ts";
import { boundWaitMs, readRetryAfterMs, toRetryAfterMs } from "#lib/retry-after.ts";

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

test("no header makes us wait for longer than an hour", () => {
  const dates = ["Fri, 01 Jan 2038 00:00:00 GMT", "Sat, 21 Nov 2026 13:00:01 GMT", "9999-12-31T00:00:00Z"];
  for (const header of ["315360000", "3600.5", "9".repeat(400), `${"9".repeat(20)}.5`, ...dates]) {
    expect(toRetryAfterMs(header, now)).toBe(3_600_000);
  }
  expect(toRetryAfterMs("3600", now)).toBe(3_600_000);
  expect(toRetryAfterMs("0", now)).toBe(0);
});

test("no number makes us wait for longer than an hour, wherever it comes from", () => {
  const waits = [Infinity, 1e300, 3_600_000.4, -1, -Infinity, NaN, 1.5];
  expect(waits.map(boundWaitMs)).toEqual([3_600_000, 3_600_000, 3_600_000, 0, 0, 0, 2]);
  expect(new UpstreamError(503, "later", { retryAfterMs: 3.1536e11 }).retryAfterMs).toBe(3_600_000);
});

test("milliseconds in `retry-after-ms` count before `retry-after`, and never for more than an hour", () => {
  expect(readRetryAfterMs({ "retry-after-ms": "250", "retry-after": "9" })).toBe(250);
  expect(readRetryAfterMs({ "retry-after-ms": " 1.4 " })).toBe(1);
  expect(readRetryAfterMs({ "retry-after-ms": "315360000000" })).toBe(3_600_000);
  for (const odd of ["", "soon", "-5", "NaN"]) {
    expect(readRetryAfterMs({ "retry-after-ms": odd, "retry-after": "9" })).toBe(9_000);
  }
  expect(readRetryAfterMs({})).toBeNull();
});
