import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSpendJournal } from "#gateway/spend/spend-journal.ts";
import type { Spent } from "#gateway/spend/spent.ts";
import { setLogger } from "#lib/logger.ts";

setLogger("silent");
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-spend-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

const one: Spent = { key: "k", team: null, user: "u", usd: 0.25, reservation: null, models: [] };

test("what was noted is handed over once and then gone", async () => {
  const batches: (readonly Spent[])[] = [];
  const journal = openSpendJournal(dir, async (_id, spent) => void batches.push(spent));
  journal.note(one);
  journal.note({ ...one, usd: 0.5 });
  await journal.flush();
  journal.note(one);
  await journal.close();
  expect(batches).toEqual([[one, { ...one, usd: 0.5 }], [one]]);
  expect(readdirSync(dir)).toEqual([]);
});

test("what a dead process left is taken over under its own id, a line that was cut excepted", async () => {
  writeFileSync(join(dir, "batch-1.ndjson"), `${JSON.stringify(one)}\n`);
  appendFileSync(join(dir, "batch-1.ndjson"), '{"key":"k","te');
  const batches: [string, readonly Spent[]][] = [];
  const journal = openSpendJournal(dir, async (id, spent) => void batches.push([id, spent]));
  await journal.close();
  expect(batches).toEqual([["batch-1", [one]]]);
});

test("what the database does not take is kept, under the same id", async () => {
  const ids: string[] = [];
  const journal = openSpendJournal(dir, async (id) => {
    ids.push(id);
    if (ids.length === 1) throw new Error("away");
  });
  journal.note(one);
  await journal.flush();
  expect(readdirSync(dir)).toHaveLength(1);
  await journal.close();
  expect(ids[1]).toBe(ids[0]);
  expect(readdirSync(dir)).toEqual([]);
});
