import { expect, test } from "vitest";
import { watchClock } from "#lib/monotonic.ts";

test("a clock that is set back is noticed once, one that is set forward or corrected a little is not", () => {
  let wallMs = 1_000_000;
  let steadyMs = 50;
  const backMs = watchClock(
    () => wallMs,
    () => steadyMs,
  );
  const advance = (wall: number, steady: number): number => {
    wallMs += wall;
    steadyMs += steady;
    return backMs();
  };
  expect(advance(5_000, 5_000)).toBe(0);
  expect(advance(5_000 - 7_200_000, 5_000)).toBe(7_200_000);
  expect(advance(1_000, 1_000)).toBe(0);
  expect(advance(9_000_000, 1_000)).toBe(0);
  expect(advance(900, 1_000)).toBe(0);
});
