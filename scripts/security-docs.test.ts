import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

test("every test that the security page names is there", () => {
  const text = readFileSync(join(root, "docs/security.md"), "utf8");
  const named = [...text.matchAll(/`((?:e2e|src)\/[^`]+)`/g)].flatMap(([, path]) => path ?? []);
  const files = named.filter((path) => path.endsWith(".ts"));
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
