import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isFileFault } from "#gateway/spend/hand-over-file.ts";
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

test("what is only given back is handed over without waiting for the next round", async () => {
  vi.useFakeTimers();
  try {
    const batches: (readonly Spent[])[] = [];
    const journal = openSpendJournal(dir, async (_id, spent) => void batches.push(spent));
    const givenBack = { ...one, usd: 0, reservation: "call" };
    journal.note(one);
    await vi.advanceTimersByTimeAsync(100);
    expect(batches).toEqual([]);
    journal.note(givenBack);
    await vi.advanceTimersByTimeAsync(100);
    expect(batches).toEqual([[one, givenBack]]);
    await journal.close();
  } finally {
    vi.useRealTimers();
  }
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

test("damage in a file costs no other entry, in that file or another, and stays beside", async () => {
  const line = (usd: number): string => JSON.stringify({ ...one, usd });
  const cut = '{"key":"k","te';
  writeFileSync(join(dir, "batch-1.ndjson"), [line(1), cut, `${cut}${line(2)}`, "\0\0\0", line(3), ""].join("\n"));
  mkdirSync(join(dir, "batch-2.ndjson"));
  writeFileSync(join(dir, "batch-3.ndjson"), `${line(4)}\n${cut}`);
  const batches: [string, number[]][] = [];
  const journal = openSpendJournal(dir, async (id, spent) => void batches.push([id, spent.map(({ usd }) => usd)]));
  await journal.flush();
  journal.note({ ...one, usd: 5 });
  await journal.close();
  expect(batches.slice(0, 2)).toEqual([
    ["batch-1", [1, 2, 3]],
    ["batch-3", [4]],
  ]);
  expect(batches[2]?.[1]).toEqual([5]);
  expect(readdirSync(dir).toSorted()).toEqual(["batch-1.refused", "batch-2.ndjson"]);
  expect(readFileSync(join(dir, "batch-1.refused"), "utf8")).toBe([cut, `${cut}${line(2)}`, "\0\0\0", ""].join("\n"));
});

test("an entry that the database refuses keeps no other one out, and each is counted once", async () => {
  const refusal = Object.assign(new Error("value out of range"), { code: "22003" });
  const known = new Map<string, number[]>();
  let isAway = false;
  let hasBeenAway = false;
  const journal = openSpendJournal(dir, async (id, spent) => {
    if (isAway) throw new Error("away");
    if (spent.some(({ usd }) => usd === 13)) throw refusal;
    known.set(
      id,
      spent.map(({ usd }) => usd),
    );
    // The database goes away in the middle of it.
    isAway = spent[0]?.usd === 2 && !hasBeenAway;
    hasBeenAway ||= isAway;
  });
  for (const usd of [1, 2, 13, 4]) journal.note({ ...one, usd });
  await journal.flush();
  expect(isAway).toBe(true);
  journal.note({ ...one, usd: 5 });
  isAway = false;
  await journal.close();
  expect([...known.values()].flat().toSorted()).toEqual([1, 2, 4, 5]);
  const [kept, ...others] = readdirSync(dir);
  expect([others, readFileSync(join(dir, kept ?? ""), "utf8")]).toEqual([
    [],
    `${JSON.stringify({ ...one, usd: 13 })}\n`,
  ]);
});

test("what the disk does not take is kept in memory, reaches the database all the same, and counts once", async () => {
  const batches: [string, readonly Spent[]][] = [];
  let isAway = true;
  const journal = openSpendJournal(dir, async (id, spent) => {
    batches.push([id, spent]);
    if (isAway) throw new Error("away");
  });
  // Nothing can be made below a file.
  rmSync(dir, { recursive: true });
  writeFileSync(dir, "");
  journal.note(one);
  journal.note({ ...one, usd: 0.5 });
  rmSync(dir);
  mkdirSync(dir);
  await journal.flush();
  expect(readdirSync(dir)).toHaveLength(1);
  isAway = false;
  await journal.close();
  expect(batches.at(-1)?.[1]).toEqual([one, { ...one, usd: 0.5 }]);
  expect(new Set(batches.map(([id]) => id)).size).toBe(1);
  expect(readdirSync(dir)).toEqual([]);
});

test("what the disk refuses during the last flush reaches the database too", async () => {
  const batches: number[][] = [];
  const aside = `${dir}-aside`;
  const journal = openSpendJournal(dir, async (_id, spent) => {
    batches.push(spent.map(({ usd }) => usd));
    if (batches.length > 2) return;
    renameSync(dir, aside);
    writeFileSync(dir, "");
    journal.note({ ...one, usd: batches.length + 1 });
    rmSync(dir);
    renameSync(aside, dir);
  });
  journal.note({ ...one, usd: 1 });
  await journal.close();
  expect(batches).toEqual([[1], [2], [3]]);
});

test("a lack of file descriptors or of room is no fault of a file", () => {
  const refused = (code: string): Error => Object.assign(new Error(code), { code, syscall: "open" });
  expect(["EACCES", "EISDIR", "EIO"].filter((code) => !isFileFault(refused(code)))).toEqual([]);
  expect(["EMFILE", "ENFILE", "ENOSPC"].filter((code) => isFileFault(refused(code)))).toEqual([]);
});
