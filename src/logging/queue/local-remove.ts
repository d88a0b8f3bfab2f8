import type { SQLOutputValue, StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { Leases } from "#logging/queue/local-leases.ts";
import { DamagedQueue, integerOf, integerOrNull, textOf } from "#logging/queue/local-row.ts";
import type { LocalStore } from "#logging/queue/local-store.ts";
import { hasRetained } from "#logging/queue/local-retention.ts";
import { deliveryStates, type PurgedTeam, type PurgeRequest, type Queue } from "#logging/queue/queue.ts";

/** So many rows go in one transaction. Between two of them appends and claims get their turn. */
const chunkRows = 500;

/** A callback's row as removing sees it. */
type Found = ReturnType<typeof toFound>;

/** The parts of a local queue that removing needs. */
export type RemoveParts = { store: LocalStore; leases: Leases; now: () => Date };

/** Makes `purge` and `expire` of a local queue. Both work in small transactions and can be repeated after a crash. */
export function makeRemove({ store, leases, now }: RemoveParts) {
  const statements = prepareStatements(store);
  const sweep = makeSweep(store, leases);

  function deleteRow(found: Found) {
    statements.deleteRow.run(found.id);
    store.count(found.callback, found.state, -1);
    if (found.contentId !== null) store.dropContents([{ ...found, contentId: found.contentId }]);
  }

  function suppress(found: Found) {
    statements.suppress.run(now().getTime(), found.id);
    store.count(found.callback, "pending", -1);
    store.count(found.callback, "suppressed", 1);
    if (found.contentId !== null) store.dropContents([{ ...found, contentId: found.contentId }]);
  }

  async function purgeTeam({ teamId, createdBeforeMs = Number.MAX_SAFE_INTEGER }: PurgedTeam): Promise<number> {
    let pending = 0;
    for (const range of store.teamRanges(teamId)) {
      await sweep(statements.ofTeam, [range.first, range.end, teamId, createdBeforeMs], (found) => {
        pending += found.state === "pending" ? 1 : 0;
        deleteRow(found);
      });
      store.write(() => {
        store.dropTeamRange(teamId, range);
      });
    }
    return pending;
  }

  async function purge(request: PurgeRequest): Promise<number> {
    let pending = 0;
    if ("teamId" in request) return purgeTeam(request);
    if ("teams" in request) {
      for (const team of request.teams) pending += await purgeTeam(team);
      return pending;
    }
    const callback = store.findCallback(request.callbackId);
    if (callback === null) return 0;
    await sweep(statements.pendingOf, [callback], (found) => {
      pending += 1;
      suppress(found);
    });
    return pending;
  }

  function letGo({ contentId, ...found }: Found) {
    statements.letGo.run(found.id);
    if (contentId !== null) store.dropContents([{ ...found, contentId }]);
  }

  async function expire(request: Parameters<Queue["expire"]>[0]): Promise<number> {
    if (statements.retained) await sweep(statements.retained, [request.contentBeforeMs], letGo);
    let removed = 0;
    for (const [state, name] of deliveryStates.entries()) {
      if (name === "pending") continue;
      const beforeMs = name === "dead" ? request.deadBeforeMs : request.deliveredBeforeMs;
      await sweep(statements.settled, [state, beforeMs], (found) => {
        removed += 1;
        deleteRow(found);
      });
    }
    store.write(() => {
      store.dropEmpty();
    });
    await giveBack(store);
    return removed;
  }

  return { purge, expire };
}

/** Makes what handles all that a statement finds chunk by chunk, until it finds nothing more. */
function makeSweep(store: LocalStore, leases: Leases) {
  return async function sweep(
    statement: StatementSync,
    values: readonly SQLOutputValue[],
    remove: (found: Found) => void,
  ) {
    for (;;) {
      const found = statement.all(...values, chunkRows).map(toFound);
      if (found.length === 0) return;
      store.write(() => {
        for (const delivery of found) remove(delivery);
      });
      for (const { id } of found) leases.end(id);
      await setImmediate();
    }
  };
}

/** Free pages up to this number stay in the file, because the next records need them at once. */
const freePagesKept = 1024;
const freePagesStep = 256;

/** Gives free pages and the WAL back to the file system, a little at a time. */
async function giveBack({ file }: LocalStore): Promise<void> {
  for (;;) {
    const free = integerOf(file.prepare("PRAGMA freelist_count").get() ?? {}, "freelist_count");
    if (free <= freePagesKept) break;
    file.exec(`PRAGMA incremental_vacuum(${String(Math.min(freePagesStep, free - freePagesKept))})`);
    await setImmediate();
  }
  file.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

function toFound(row: Record<string, SQLOutputValue>) {
  const state = deliveryStates[integerOf(row, "state")];
  if (state === undefined) throw new DamagedQueue('"state" is out of range.');
  return {
    id: integerOf(row, "id"),
    recordId: textOf(row, "record_id"),
    callback: integerOf(row, "callback"),
    state,
    contentId: integerOrNull(row, "content_id"),
  };
}

function prepareStatements({ file }: LocalStore) {
  const found = "SELECT id, record_id, callback, state, content_id FROM delivery";
  return {
    ofTeam: file.prepare(`${found} WHERE id >= ? AND id < ? AND team_id = ? AND created_at_ms < ? LIMIT ?`),
    pendingOf: file.prepare(`${found} WHERE callback = ? AND state = 0 LIMIT ?`),
    settled: file.prepare(`${found} WHERE state <> 0 AND state = ? AND settled_at_ms < ? LIMIT ?`),
    deleteRow: file.prepare("DELETE FROM delivery WHERE id = ?"),
    retained: hasRetained(file)
      ? file.prepare(
          `${found} INDEXED BY delivery_retained
             WHERE state = 1 AND content_id IS NOT NULL AND created_at_ms < ? LIMIT ?`,
        )
      : null,
    letGo: file.prepare("UPDATE delivery SET content_id = NULL WHERE id = ?"),
    suppress: file.prepare("UPDATE delivery SET state = 3, content_id = NULL, settled_at_ms = ? WHERE id = ?"),
  };
}
