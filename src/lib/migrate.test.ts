import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

test("the newest migration brings the database to schema.prisma", () => {
  const directory = join(import.meta.dirname, "../../prisma");
  const newest = readdirSync(join(directory, "migrations"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted()
    .at(-1);
  const kept = readFileSync(join(directory, "migrations", newest ?? "", "schema.prisma"), "utf8");
  expect(kept).toBe(readFileSync(join(directory, "schema.prisma"), "utf8"));
});
