import type { Keyring } from "#lib/seal.ts";
import { makeAppend } from "#logging/queue/local-append.ts";
import { makeBuryAged } from "#logging/queue/local-bury.ts";
import { makeClaim } from "#logging/queue/local-claim.ts";
import { makeFind } from "#logging/queue/local-find.ts";
import { makeHasten } from "#logging/queue/local-hasten.ts";
import { makeLeases } from "#logging/queue/local-leases.ts";
import { makeRetained } from "#logging/queue/local-retained.ts";
import { makeRemove } from "#logging/queue/local-remove.ts";
import { prepareRetention } from "#logging/queue/local-retention.ts";
import { makeRevise } from "#logging/queue/local-revise.ts";
import { makeSettle } from "#logging/queue/local-settle.ts";
import { makeList } from "#logging/queue/local-list.ts";
import { type LocalMoves, makeMoves } from "#logging/queue/local-move.ts";
import { integerOf } from "#logging/queue/local-row.ts";
import { openLocalStore } from "#logging/queue/local-store.ts";
import { type OnDamage, watchFile } from "#logging/queue/local-watch.ts";
import type { Queue } from "#logging/queue/queue.ts";
import { toFind } from "#logging/queue/to-find.ts";

/**
 * Where a local queue lies and what seals it. `now` is the clock of sealing, appending and suppressing; `keepsContent`:
 * what was delivered keeps its content until `expire`.
 */
export type LocalQueueOptions = {
  path: string;
  keyring: Keyring;
  now?: () => Date;
  keepsContent?: boolean;
  /** See `OnDamage`. */
  onDamage?: OnDamage | undefined;
};

/** A queue in a file, and what moving it into another queue needs. */
export type LocalQueue = Queue & LocalMoves;

/**
 * Opens the queue in a SQLite file, for one process at a time. Its calls work synchronously, so it belongs into a
 * worker thread. Leases end with the process: what an earlier one had claimed and not settled is due again at once.
 * A damaged file is moved aside, and what can be read of it recovered. Throws if the file cannot be opened, is owned by
 * another process, or was written by a newer version.
 */
export function openLocalQueue(options: LocalQueueOptions): LocalQueue {
  const { path, keyring, now = () => new Date(), keepsContent = false, onDamage } = options;
  const store = openLocalStore(path);
  if (keepsContent) prepareRetention(store.file);
  const leases = makeLeases();
  const sealer = { keyring, now };
  const append = makeAppend(store, sealer);
  const settle = makeSettle(store, leases, { keepsContent });
  const hasten = makeHasten(store, leases);
  const { purge, expire } = makeRemove({ store, leases, now });
  const watch = watchFile(path, store, onDamage);
  const { guard, guardSync } = watch;
  const moves = makeMoves(store);
  const { findRows, findDue, findCounts } = makeFind(store, leases);

  return {
    append: guard(async (entries) => append(entries)),
    claim: guard(makeClaim({ store, leases, sealer })),
    settle: guard(async (settlements, nowMs) => settle(settlements, nowMs)),
    purge: guard(purge),
    find: toFind({
      findRows: guard(async (request) => findRows(request)),
      findDue: guard(async (nowMs) => findDue(nowMs)),
      findCounts: guard(async (callbackIds) => findCounts(callbackIds)),
    }),
    expire: guard(expire),
    retained: guard(makeRetained(store, sealer)),
    hasten: guard(async (request) => hasten(request)),
    buryAged: guard(makeBuryAged(store, leases)),
    list: guard(makeList(store)),
    revise: guard(makeRevise(store)),
    isEmpty: guardSync(moves.isEmpty),
    peek: guardSync(moves.peek),
    peekRecord: guardSync(moves.peekRecord),
    forget: guardSync(moves.forget),
    async sizes() {
      const pages = integerOf(store.file.prepare("PRAGMA page_count").get() ?? {}, "page_count");
      const pageBytes = integerOf(store.file.prepare("PRAGMA page_size").get() ?? {}, "page_size");
      return [{ place: "file", bytes: pages * pageBytes }];
    },
    async close() {
      if (!store.file.isOpen) return;
      try {
        if (watch.stop()) store.file.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      } catch (error) {
        watch.fail(error);
      }
      store.file.close();
    },
  };
}
