import { expect, test } from "vitest";
import { shrinkJson } from "#logging/destinations/shrink-json.ts";

const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

test("what fits is returned as it is", () => {
  const value = { text: "x".repeat(900) };
  expect(shrinkJson(value, 1_000)).toBe(value);
});

test("a long text is cut and marked with the length it had, and short ones stay", () => {
  const shrunk = shrinkJson({ id: "one", messages: [{ role: "user", content: "é".repeat(500_000) }] }, 100_000);
  expect(bytes(shrunk)).toBeLessThanOrEqual(100_000);
  expect(shrunk).toMatchObject({ id: "one", messages: [{ role: "user" }] });
  expect(JSON.stringify(shrunk)).toContain("...(truncated) [500000 characters]");
});

test.each([
  ["many short texts", { id: "one", list: Array.from({ length: 50_000 }, (_, at) => ({ at, text: "short" })) }],
  ["many keys", { id: "one", map: Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`key ${at}`, at])) }],
  ["control characters", { id: "one", text: '\u0000\u001b"\\'.repeat(200_000) }],
  [
    "several large fields",
    { id: "one", ...Object.fromEntries(["a", "b", "c"].map((name) => [name, Array<number>(90_000).fill(1)])) },
  ],
])("%s are made to fit, and the small fields stay", (_, value) => {
  const shrunk = shrinkJson(value, 60_000);
  expect(bytes(shrunk)).toBeLessThanOrEqual(60_000);
  expect(bytes(shrunk)).toBeGreaterThan(1_000);
  expect(shrunk["id"]).toBe("one");
  expect(JSON.stringify(shrunk)).toMatch(/\(truncated\) \[\d+ characters\]/);
});
