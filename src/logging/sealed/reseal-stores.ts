import { type Keyring, sealedKeyId } from "#lib/seal.ts";
import type { Resealed, SealedItem, SealedKind, SealedStore } from "#logging/sealed/sealed-store.ts";
import { whyClosed } from "#logging/sealed/survey.ts";

/** A value that could not be moved, without its content. */
export type Unmoved = { kind: SealedKind; id: string; keyId: string; reason: "missing_key" | "damaged" };

/** What became of one kind of values. */
export type ResealedKind = {
  kind: SealedKind;
  /** Moved to the newest key now, by the key that they were under. */
  moved: Record<string, number>;
  /** Under the newest key at the end. */
  current: number;
  /** The first of those that do not open, and how many there are in all. */
  unmoved: Unmoved[];
  unmovedCount: number;
  /** How many there are by the key that they are under. */
  unmovedByKey: Record<string, number>;
};

const namedMax = 1_000;

/** Others may write while this runs: what was changed in between is looked at again, so many times at most. */
const passesMax = 5;

/**
 * Seals everything under the newest key that is under another one. May be broken off and run again at any time, beside
 * running gateways: each value is replaced for itself, and only if nobody has changed it since it was read. What does
 * not open stays as it is, and is named.
 */
export async function resealStores(stores: readonly SealedStore[], keyring: Keyring): Promise<ResealedKind[]> {
  const kinds: ResealedKind[] = [];
  for (const store of stores) kinds.push(await resealStore(store, keyring));
  return kinds;
}

async function resealStore(store: SealedStore, keyring: Keyring): Promise<ResealedKind> {
  const moved: Record<string, number> = {};
  for (let pass = 1; ; pass += 1) {
    const { attempted, ...found } = await walk(store, keyring, moved);
    if (attempted === 0 || pass === passesMax) return { kind: store.kind, moved, ...found };
  }
}

/** One walk over a store. `attempted`: so many were to be moved, so another look tells whether all of them are. */
async function walk(store: SealedStore, keyring: Keyring, moved: Record<string, number>) {
  const [newest = ""] = keyring.keyIds;
  const found: Pick<ResealedKind, "current" | "unmoved" | "unmovedCount" | "unmovedByKey"> = {
    current: 0,
    unmoved: [],
    unmovedCount: 0,
    unmovedByKey: {},
  };
  let attempted = 0;
  for await (const page of store.pages()) {
    const changes = new Map<string, Resealed & { keyId: string }>();
    for (const [name, item] of new Map(page.map((one) => [`${one.row} ${one.field}`, one]))) {
      const keyId = sealedKeyId(item.sealed) ?? "";
      const reason = whyClosed(keyring, item);
      if (reason === null && keyId === newest) found.current += 1;
      else if (reason === null) changes.set(name, { item, sealed: reseal(keyring, item), keyId });
      else {
        found.unmovedCount += 1;
        found.unmovedByKey[keyId] = (found.unmovedByKey[keyId] ?? 0) + 1;
        if (found.unmoved.length < namedMax) found.unmoved.push({ kind: store.kind, id: item.id, keyId, reason });
      }
    }
    attempted += changes.size;
    for (const [keyId, group] of Map.groupBy(changes.values(), (change) => change.keyId)) {
      moved[keyId] = (moved[keyId] ?? 0) + (await store.replace(group));
    }
  }
  return { ...found, attempted };
}

function reseal(keyring: Keyring, { sealed, place }: SealedItem): Buffer {
  return keyring.seal(keyring.open(sealed, place), place);
}
