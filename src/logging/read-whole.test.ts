import { expect, test } from "vitest";
import { readWhole } from "#logging/read-statement.ts";

type Row = Parameters<typeof readWhole>[0] extends () => Promise<infer Found> ? Found : never;

/** Answers one row after the other, the last one for ever; and how often it was asked. */
function reader(...rows: Row[]): { read: () => Promise<Row>; reads: () => number } {
  let reads = 0;
  return {
    read: async () => {
      reads += 1;
      return rows[Math.min(reads, rows.length) - 1] ?? null;
    },
    reads: () => reads,
  };
}

const unset = { loggingState: "unset", callbacks: [] } as const;
const torn = { loggingState: "own", callbacks: [] } as const;
const own = { loggingState: "own", callbacks: ["one"] } as const;

test("a row whose last callback is removed while it is read is read again", async () => {
  const { read } = reader(torn, unset);
  expect(await readWhole(read)).toEqual(unset);
});

test("a key whose team's last callback is removed while it is read is read again", async () => {
  const { read } = reader({ ...unset, team: torn }, { ...unset, team: own });
  expect(await readWhole(read)).toEqual({ ...unset, team: own });
});

test("a row that is whole, missing or always so is not read for ever", async () => {
  for (const row of [own, unset, null]) {
    const { read, reads } = reader(row);
    expect(await readWhole(read)).toEqual(row);
    expect(reads()).toBe(1);
  }
  const { read, reads } = reader(torn);
  expect(await readWhole(read)).toEqual(torn);
  expect(reads()).toBe(4);
});
