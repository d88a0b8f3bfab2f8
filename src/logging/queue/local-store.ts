import type { DatabaseSync } from "node:sqlite";
import { LRUCache } from "lru-cache";
import { inTransaction } from "#logging/queue/local-file.ts";
import { openSoundFile } from "#logging/queue/local-open.ts";
import { integerOf, textOf, textOrNull } from "#logging/queue/local-row.ts";
import { deliveryStates, type DeliveryRow } from "#logging/queue/queue.ts";

/** The open file of a local queue, the numbers of its callbacks, and the counts that go with every change. */
export type LocalStore = {
  file: DatabaseSync;
  /** One transaction, with the counts that `work` reported through `count`. */
  write<T>(work: () => T, flush?: boolean): T;
  /** The number of a callback, given to it now where it has none. Only inside `write`. */
  callbackNumber(callbackId: string): number;
  /** The number of a callback, or null where the file holds nothing of it. */
  findCallback(callbackId: string): number | null;
  /** Reports that a callback has `change` more deliveries in a state. Only inside `write`. */
  count(callback: number, state: DeliveryRow["state"], change: number): void;
  /** Keeps where rows of a team are, for `teamRanges`. Only inside `write`. */
  noteTeam(teamId: string, deliveryId: number): void;
  /** The ranges of delivery ids, the end excluded, outside of which the team has no row. */
  teamRanges(teamId: string): IdRange[];
  /** The newest of them that begin below `end`, 32 at most, the newest first, with what `keepTeamIds` kept. */
  newestTeamRanges(teamId: string, end: number): TeamRange[];
  /** Finds the team's ids in a range that nothing is added to any more, and keeps them. */
  keepTeamIds(teamId: string, range: IdRange): void;
  /** Forgets a range of a team if no row of it is left in there. Only inside `write`. */
  dropTeamRange(teamId: string, range: IdRange): void;
  /** Forgets callbacks and ranges that have no delivery left. Only inside `write`. */
  dropEmpty(): void;
  /** Deletes contents where no open delivery of their record needs them any more. Only inside `write`. */
  dropContents(contents: readonly StoredContent[]): void;
  /** Texts of contents that were appended lately, so that handing them out reads and opens nothing. */
  recentTexts: LRUCache<number, string>;
};

/** A content and the record that it belongs to. */
export type StoredContent = { contentId: number; recordId: string };

/** So many characters of contents stay in memory. */
const recentCharactersMax = 16 * 1024 * 1024;

/** Delivery ids from `first` to below `end`. */
export type IdRange = { first: number; end: number };

/** A range with the ids of the team's rows in it, the newest first; null where they are not known. */
export type TeamRange = IdRange & { ids: number[] | null };

const rangeIds = 4096;
/** Where a team has more rows than this in a range, reading all of the range is as good. */
const keptIdsMax = 1024;

/** Opens the file of a local queue; throws as `openSoundFile` does. */
export function openLocalStore(path: string): LocalStore {
  const file = openSoundFile(path);
  const statements = prepareStatements(file);
  const numbers = new Map<string, number>();
  const lastRanges = new Map<string, number>();
  const changes = new Map<number, Record<DeliveryRow["state"], number>>();
  const recentTexts = makeRecentTexts();

  function findCallback(callbackId: string): number | null {
    const known = numbers.get(callbackId);
    if (known !== undefined) return known;
    const row = statements.findCallback.get(callbackId);
    if (row === undefined) return null;
    const number = integerOf(row, "number");
    numbers.set(callbackId, number);
    return number;
  }

  function workAndCount<T>(work: () => T): T {
    const result = work();
    for (const [callback, change] of changes) {
      statements.count.run(...deliveryStates.map((state) => change[state]), callback);
    }
    return result;
  }

  function write<T>(work: () => T, flush = true): T {
    try {
      return inTransaction(file, () => workAndCount(work), flush);
    } catch (error) {
      // What was stored in this transaction is gone with it.
      numbers.clear();
      lastRanges.clear();
      recentTexts.clear();
      throw error;
    } finally {
      changes.clear();
    }
  }

  function count(callback: number, state: DeliveryRow["state"], change: number) {
    const sums = changes.get(callback) ?? { pending: 0, delivered: 0, dead: 0, suppressed: 0 };
    sums[state] += change;
    changes.set(callback, sums);
  }

  return {
    file,
    write,
    findCallback,
    count,
    callbackNumber(callbackId) {
      if (findCallback(callbackId) === null) statements.addCallback.run(callbackId);
      return findCallback(callbackId) ?? fail(callbackId);
    },
    ...makeRanges(statements, { lastRanges, write }),
    dropEmpty() {
      lastRanges.clear();
      statements.dropOldRanges.run(rangeIds);
      for (const row of statements.dropCallbacks.all()) numbers.delete(textOf(row, "callback_id"));
    },
    dropContents(contents) {
      for (const { contentId } of contents) recentTexts.delete(contentId);
      statements.dropContents.run(JSON.stringify(contents));
    },
    recentTexts,
  };
}

type Statements = ReturnType<typeof prepareStatements>;
type Ranges = Pick<LocalStore, "noteTeam" | "teamRanges" | "newestTeamRanges" | "keepTeamIds" | "dropTeamRange">;
type RangeParts = Pick<LocalStore, "write"> & { lastRanges: Map<string, number> };

/** `lastRanges` holds the range that was noted last for a team. */
function makeRanges(statements: Statements, { lastRanges, write }: RangeParts): Ranges {
  return {
    noteTeam(teamId, deliveryId) {
      const range = Math.floor(deliveryId / rangeIds);
      if (lastRanges.get(teamId) === range) return;
      statements.addRange.run(teamId, range);
      lastRanges.set(teamId, range);
    },
    teamRanges: (teamId) =>
      statements.ranges.all(teamId).map((row) => {
        const first = integerOf(row, "range") * rangeIds;
        return { first, end: first + rangeIds };
      }),
    newestTeamRanges: (teamId, end) =>
      statements.newestRanges.all(teamId, Math.ceil(end / rangeIds)).map((row) => {
        const first = integerOf(row, "range") * rangeIds;
        const ids = textOrNull(row, "ids");
        return { first, end: first + rangeIds, ids: ids === null ? null : ids.split(",").map(Number) };
      }),
    keepTeamIds(teamId, { first, end }) {
      // Ids are given again where the newest rows were removed: who comes back to this range then notes it anew.
      lastRanges.delete(teamId);
      write(() => statements.keepIds.run({ teamId, range: first / rangeIds, first, end, idsMax: keptIdsMax }), false);
    },
    dropTeamRange(teamId, { first, end }) {
      lastRanges.delete(teamId);
      statements.dropRange.run({ teamId, range: first / rangeIds, first, end });
    },
  };
}

function makeRecentTexts(): LRUCache<number, string> {
  return new LRUCache({ maxSize: recentCharactersMax, sizeCalculation: (text) => text.length + 1 });
}

function prepareStatements(file: DatabaseSync) {
  return {
    findCallback: file.prepare("SELECT number FROM callback WHERE callback_id = ?"),
    addCallback: file.prepare("INSERT INTO callback (callback_id) VALUES (?)"),
    count: file.prepare(
      `UPDATE callback SET pending = pending + ?, delivered = delivered + ?, dead = dead + ?,
         suppressed = suppressed + ? WHERE number = ?`,
    ),
    dropCallbacks: file.prepare(
      `DELETE FROM callback WHERE pending = 0 AND delivered = 0 AND dead = 0 AND suppressed = 0
         RETURNING callback_id`,
    ),
    addRange: file.prepare(
      `INSERT INTO team_range (team_id, range) VALUES (?, ?)
         ON CONFLICT (team_id, range) DO UPDATE SET ids = NULL WHERE ids IS NOT NULL`,
    ),
    ranges: file.prepare("SELECT range FROM team_range WHERE team_id = ? ORDER BY range"),
    newestRanges: file.prepare(
      "SELECT range, ids FROM team_range WHERE team_id = ? AND range < ? ORDER BY range DESC LIMIT 32",
    ),
    keepIds: file.prepare(
      `UPDATE team_range SET ids = (SELECT CASE WHEN count(*) <= $idsMax THEN group_concat(id, ',' ORDER BY id DESC) END
           FROM delivery WHERE id >= $first AND id < $end AND team_id = $teamId)
         WHERE team_id = $teamId AND range = $range`,
    ),
    dropRange: file.prepare(
      `DELETE FROM team_range WHERE team_id = $teamId AND range = $range AND NOT EXISTS
         (SELECT 1 FROM delivery WHERE id >= $first AND id < $end AND team_id = $teamId)`,
    ),
    // Numbers are bound as floating ones, and a division by one of those does not round down.
    dropOldRanges: file.prepare(
      "DELETE FROM team_range WHERE range < (SELECT min(id) FROM delivery) / CAST(? AS INTEGER)",
    ),
    // Only a record's own deliveries share a content, so the identity index answers this.
    dropContents: file.prepare(
      `DELETE FROM content WHERE content_id IN
         (SELECT value ->> 'contentId' FROM json_each(?) WHERE NOT EXISTS
           (SELECT 1 FROM delivery WHERE record_id = value ->> 'recordId' AND content_id = value ->> 'contentId'))`,
    ),
  };
}

function fail(callbackId: string): never {
  throw new Error(`The queue could not store the callback ${callbackId}.`);
}
