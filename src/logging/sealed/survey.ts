import { type Keyring, sealedKeyId } from "#lib/seal.ts";
import type { SealedItem, SealedKind, SealedStore } from "#logging/sealed/sealed-store.ts";

/** Sealed values of one kind under one key. `reason` null: they open. `isMore`: there may be more of them. */
export type SealedCount = {
  kind: SealedKind;
  keyId: string;
  /** `missing_key`: the key is not configured. `damaged`: it is, and they do not open all the same. */
  reason: "missing_key" | "damaged" | null;
  count: number;
  isMore: boolean;
};

/** Counts what opens and what does not, of each store the oldest `max` values or a few more. */
export async function surveySealed(
  stores: readonly SealedStore[],
  keyring: Keyring,
  max: number,
): Promise<SealedCount[]> {
  const counts: SealedCount[] = [];
  for (const store of stores) {
    const found = new Map<string, SealedCount>();
    let looked = 0;
    for await (const page of store.pages()) {
      for (const item of page) count(found, { store, item, keyring });
      looked += page.length;
      if (looked >= max) break;
    }
    counts.push(...[...found.values()].map((one) => ({ ...one, isMore: looked >= max })));
  }
  return counts;
}

/** Whether a value opens, and if not, why. */
export function whyClosed(keyring: Keyring, { sealed, place }: SealedItem): SealedCount["reason"] {
  if (!keyring.keyIds.includes(sealedKeyId(sealed) ?? "")) return "missing_key";
  try {
    keyring.open(sealed, place);
    return null;
  } catch {
    return "damaged";
  }
}

function count(
  found: Map<string, SealedCount>,
  { store, item, keyring }: { store: SealedStore; item: SealedItem; keyring: Keyring },
): void {
  const keyId = sealedKeyId(item.sealed);
  // What is no sealed value at all says nothing about keys.
  if (keyId === null) return;
  const reason = whyClosed(keyring, item);
  const name = `${keyId} ${String(reason)}`;
  const known = found.get(name) ?? { kind: store.kind, keyId, reason, count: 0, isMore: false };
  found.set(name, { ...known, count: known.count + 1 });
}
