import { expect, test } from "vitest";
import { isTooDeep, jsonDepthMax, readJson } from "#lib/read-json.ts";

/** JSON that nests this deep, lists and objects in turn. */
function nested(depth: number, inner = "1"): string {
  let text = inner;
  for (let level = 0; level < depth; level += 1) text = level % 2 === 0 ? `[${text}]` : `{"a":${text}}`;
  return text;
}

test("JSON is read up to the limit and refused one level deeper", () => {
  expect(readJson(nested(jsonDepthMax))).toEqual(JSON.parse(nested(jsonDepthMax)));
  expect(() => readJson(nested(jsonDepthMax + 1))).toThrow(SyntaxError);
  expect(() => readJson(nested(5_000))).toThrow("nested too deeply");
  expect(isTooDeep("[".repeat(1_000_000))).toBe(true);
});

test("brackets count by their depth, not by their number, and not inside of strings", () => {
  const wide = JSON.stringify(Array.from({ length: 10_000 }, () => ({ a: [1, { b: [] }] })));
  const texts = JSON.stringify(["[".repeat(500), '\\"[{'.repeat(500), "\\\\", '"'.repeat(300), { a: "{".repeat(500) }]);
  expect(isTooDeep(wide)).toBe(false);
  expect(isTooDeep(texts)).toBe(false);
  expect(readJson(texts)).toEqual(JSON.parse(texts));
  expect(isTooDeep(nested(jsonDepthMax, texts))).toBe(true);
  expect(isTooDeep('"'.repeat(999))).toBe(false);
});

test("every recursive walk of a call takes four times the limit on half of its stack", () => {
  const value: unknown = JSON.parse(nested(jsonDepthMax * 4));
  expect(() => structuredClone(value)).not.toThrow();
  expect(JSON.stringify(value)).toBe(nested(jsonDepthMax * 4));
});
