import { expect, test } from "vitest";
import { addDuration } from "#lib/duration.ts";

const start = new Date("2024-01-31T12:00:00Z");

test.each([
  ["45s", "2024-01-31T12:00:45.000Z"],
  ["1m", "2024-01-31T12:01:00.000Z"],
  ["1h", "2024-01-31T13:00:00.000Z"],
  ["30d", "2024-03-01T12:00:00.000Z"],
  ["2w", "2024-02-14T12:00:00.000Z"],
  ["1mo", "2024-02-29T12:00:00.000Z"],
  ["12mo", "2025-01-31T12:00:00.000Z"],
])("adds %s", (duration, end) => {
  expect(addDuration(start, duration, "duration").toISOString()).toBe(end);
});

test.each(["", "30", "d", "-1d", "1.5h", "1y", "999999999999w", "999999999999mo"])("refuses %j", (duration) => {
  expect(() => addDuration(start, duration, "duration")).toThrow("Invalid duration");
});
