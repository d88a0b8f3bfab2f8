import { expect, test } from "vitest";
import { encryptionKeyId, makeKeyring, sealedKeyId, type SealPlace } from "#lib/seal.ts";
import { resealStores } from "#logging/sealed/reseal-stores.ts";
import type { SealedItem, SealedStore } from "#logging/sealed/sealed-store.ts";
import { surveySealed } from "#logging/sealed/survey.ts";

const [oldKey, newKey, lostKey] = ["old-key-0123456789", "new-key-0123456789", "lost-key-0123456789"];
const both = makeKeyring([newKey, oldKey]);

function placeOf(row: string): SealPlace {
  return { purpose: "test", scope: "team", binding: row };
}

function seal(key: string, row: string, text: string): Buffer {
  return makeKeyring([key]).seal(text, placeOf(row));
}

/** A store in memory; `beforeReplace` plays somebody who writes beside it. */
function makeStore(rows: Map<string, Buffer>, beforeReplace: () => void = () => undefined): SealedStore {
  return {
    kind: "callback_secret",
    async *pages() {
      const items = [...rows].map(([row, sealed]): SealedItem => ({
        id: row,
        row,
        field: "",
        sealed,
        place: placeOf(row),
      }));
      for (const item of items) yield [item, item];
    },
    async replace(changes) {
      beforeReplace();
      const unchanged = changes.filter(({ item }) => rows.get(item.row)?.equals(item.sealed));
      for (const { item, sealed } of unchanged) rows.set(item.row, sealed);
      return unchanged.length;
    },
  };
}

test("everything that opens moves to the newest key, what does not stays and is named, and a second run moves none", async () => {
  const rows = new Map([
    ["one", seal(oldKey, "one", "1")],
    ["two", seal(newKey, "two", "2")],
    ["three", seal(lostKey, "three", "3")],
    ["four", seal(oldKey, "another place", "4")],
    ["five", Buffer.from("nothing sealed")],
  ]);
  const before = new Map(rows);
  const unmoved = [
    { kind: "callback_secret", id: "three", keyId: encryptionKeyId(lostKey), reason: "missing_key" },
    { kind: "callback_secret", id: "four", keyId: encryptionKeyId(oldKey), reason: "damaged" },
    { kind: "callback_secret", id: "five", keyId: "", reason: "missing_key" },
  ];
  const unmovedByKey = { [encryptionKeyId(lostKey)]: 1, [encryptionKeyId(oldKey)]: 1, "": 1 };
  const moved = { [encryptionKeyId(oldKey)]: 1 };
  const first = await resealStores([makeStore(rows)], both);
  expect(first).toEqual([{ kind: "callback_secret", moved, current: 2, unmoved, unmovedCount: 3, unmovedByKey }]);
  expect(
    makeKeyring([newKey])
      .open(rows.get("one") ?? Buffer.alloc(0), placeOf("one"))
      .toString(),
  ).toBe("1");
  for (const row of ["two", "three", "four", "five"]) expect(rows.get(row)).toBe(before.get(row));
  expect(await resealStores([makeStore(rows)], both)).toMatchObject([{ moved: {}, current: 2, unmovedCount: 3 }]);
});

test("values that do not open are all counted by key, also those that are not named", async () => {
  const names = Array.from({ length: 1_001 }, (_, index) => String(index));
  const rows = new Map(names.map((name) => [name, seal(lostKey, name, "lost")]));
  const [found] = await resealStores([makeStore(rows)], both);
  expect(found?.unmoved).toHaveLength(1_000);
  expect(found?.unmovedByKey).toEqual({ [encryptionKeyId(lostKey)]: 1_001 });
});

test("a value that is written while it is moved keeps what was written, and moves with the next look", async () => {
  const rows = new Map([["one", seal(oldKey, "one", "before")]]);
  const writes = [seal(oldKey, "one", "written"), null];
  const store = makeStore(rows, () => {
    const next = writes.shift();
    if (next) rows.set("one", next);
  });
  expect(await resealStores([store], both)).toMatchObject([{ moved: { [encryptionKeyId(oldKey)]: 1 }, current: 1 }]);
  const sealed = rows.get("one") ?? Buffer.alloc(0);
  expect(sealedKeyId(sealed)).toBe(encryptionKeyId(newKey));
  expect(makeKeyring([newKey]).open(sealed, placeOf("one")).toString()).toBe("written");
});

test("a survey tells what opens from what misses its key and what is damaged, and looks at a bounded part", async () => {
  const rows = new Map([
    ["one", seal(oldKey, "one", "1")],
    ["two", seal(lostKey, "two", "2")],
    ["three", seal(newKey, "another place", "3")],
  ]);
  const counts = await surveySealed([makeStore(rows)], both, 100);
  expect(counts.map(({ keyId, reason, isMore }) => [keyId, reason, isMore])).toEqual([
    [encryptionKeyId(oldKey), null, false],
    [encryptionKeyId(lostKey), "missing_key", false],
    [encryptionKeyId(newKey), "damaged", false],
  ]);
  expect(await surveySealed([makeStore(rows)], both, 1)).toMatchObject([
    { keyId: encryptionKeyId(oldKey), isMore: true },
  ]);
});
