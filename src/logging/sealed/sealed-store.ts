import type { SealPlace } from "#lib/seal.ts";

/** What sealed values are: secrets of stored callbacks, or contents of queued records in the database or in a file. */
export type SealedKind = "callback_secret" | "queued_content" | "queue_file_content";

/** One sealed value. `id` names it for people, `row` and `field` for the store. */
export type SealedItem = { id: string; row: string; field: string; sealed: Buffer; place: SealPlace };

/** A sealed value, and the same value sealed under another key. */
export type Resealed = { item: SealedItem; sealed: Buffer };

/** All sealed values of one kind. */
export type SealedStore = {
  kind: SealedKind;
  /** Reads them, oldest first. One value may come twice. */
  pages(): AsyncIterable<readonly SealedItem[]>;
  /** Replaces values, but none that somebody has changed since it was read. Returns how many. */
  replace(changes: readonly Resealed[]): Promise<number>;
};
