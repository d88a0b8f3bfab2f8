import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isIncompatible, readMigrations } from "#lib/migration-files.ts";

const directory = join(import.meta.dirname, "../../prisma/migrations");

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

test("an index on a table that is in use is built by a migration that does nothing else", () => {
  for (const { name, sql, indexes } of readMigrations(directory)) {
    const made = new Set([...sql.matchAll(/CREATE TABLE "(\w+)"/g)].map(([, table]) => table));
    const indexed = [...sql.matchAll(/CREATE (?:UNIQUE )?INDEX[^;]* ON "(\w+)"/g)].map(([, table]) => table);
    const onTablesInUse = indexed.filter((table) => !made.has(table));
    if (onTablesInUse.length > 0 || sql.includes("CONCURRENTLY")) expect(indexes, name).not.toBeNull();
  }
});

test("indexes that a migration only builds are built concurrently, whatever stands in the file", () => {
  const retained = readMigrations(directory).find(({ name }) => name.endsWith("_retained_content"));
  const [index] = retained?.indexes ?? [];
  expect(index?.name).toBe('"queue_delivery_retained"');
  expect(index?.sql).toMatch(/^CREATE INDEX CONCURRENTLY "queue_delivery_retained" ON "queue_delivery" \(/);
  expect(readMigrations(directory).find(({ name }) => name.endsWith("_initial"))?.indexes).toBeNull();
});

test("the end of a migration's name says that older builds cannot run on the database", () => {
  expect(isIncompatible("20270101000000_rename_everything_incompatible")).toBe(true);
  expect(isIncompatible("20270101000000_incompatible_names")).toBe(false);
  expect(readMigrations(directory).filter(({ name }) => isIncompatible(name))).toEqual([]);
});
