import type { SQLInputValue } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { filterConditions } from "#logging/queue/filter-conditions.ts";
import { integerOf, type SqlRow, toDeliveryRow } from "#logging/queue/local-row.ts";
import type { IdRange, LocalStore, TeamRange } from "#logging/queue/local-store.ts";
import type { DeliveryFilter, DeliveryPage, ListRequest } from "#logging/queue/queue.ts";

/** So many delivery ids are looked at in one go, and so many goes make a page at most. */
const windowIds = 4096;
const windowsMax = 64;
/** Of the ids that are known to be a team's, so many are looked at in one go. */
const knownIdsMax = 1024;
/** Up to so many dead letters are found and sorted through their index at once. */
const deadMax = 10_000;

/** What a listing finds: in the ids from `first` to below `end`, at most `limit` rows. */
type Stretch = IdRange & { limit: number };

/** Where a listing looks, one step after the other, the newest ids first. */
type Step = { range: IdRange; rows: (limit: number) => SqlRow[] };

/** Makes the `list` of a local queue. It looks at a bounded part of the file, and others get their turn in between. */
export function makeList(store: LocalStore) {
  const newest = store.file.prepare("SELECT coalesce(max(id), 0) AS id FROM delivery");
  const oldest = store.file.prepare("SELECT coalesce(min(id), 0) AS id FROM delivery");
  const dead = store.file.prepare("SELECT coalesce(sum(dead), 0) AS n FROM callback");

  function isSparse(filter: DeliveryFilter): boolean {
    if (filter.recordIds) return true;
    return isDead(filter) && (isOfTeamAlone(filter) || integerOf(dead.get() ?? {}, "n") <= deadMax);
  }

  function stepsOf(filter: DeliveryFilter, all: IdRange): Iterable<Step> {
    if (isSparse(filter)) return [stepOver(store, filter, all)];
    const [teamId, another] = filter.teamIds ?? [];
    return teamId !== undefined && another === undefined
      ? stepsOfTeam(store, { filter, teamId, all, newestId: integerOf(newest.get() ?? {}, "id") })
      : stepsOfAll(store, filter, all);
  }

  return async function list({ filter, before, limit }: ListRequest): Promise<DeliveryPage> {
    const first = integerOf(oldest.get() ?? {}, "id");
    const end = Math.min(before ?? Number.MAX_SAFE_INTEGER, integerOf(newest.get() ?? {}, "id") + 1);
    const rows: DeliveryPage["rows"] = [];
    let left = windowsMax;
    for (const step of stepsOf(filter, { first, end })) {
      const found = step.rows(limit - rows.length);
      rows.push(...found.map(toDeliveryRow));
      if (rows.length === limit) return { rows, next: integerOf(found.at(-1) ?? {}, "id") };
      left -= 1;
      if (left === 0) return { rows, next: step.range.first > first ? step.range.first : null };
      await setImmediate();
    }
    return { rows, next: null };
  };
}

/** Whether nothing narrows a filter but one team, and states. */
function isOfTeamAlone(filter: DeliveryFilter): boolean {
  return filter.teamIds?.length === 1 && Object.keys(filter).every((name) => name === "teamIds" || name === "states");
}

function isDead({ states }: DeliveryFilter): boolean {
  return states?.length === 1 && states[0] === "dead";
}

function* stepsOfAll(store: LocalStore, filter: DeliveryFilter, all: IdRange): Generator<Step> {
  for (let end = all.end; end > all.first; end -= windowIds) {
    yield stepOver(store, filter, { first: Math.max(all.first, end - windowIds), end });
  }
}

type TeamSteps = { filter: DeliveryFilter; teamId: string; all: IdRange; newestId: number };

/** Only where the team has rows. What is found out about a full range is kept, so that it is found out once. */
function* stepsOfTeam(store: LocalStore, { filter, teamId, all, newestId }: TeamSteps): Generator<Step> {
  let known: number[] = [];
  for (const range of rangesOfTeam(store, teamId, all)) {
    const part = { first: Math.max(range.first, all.first), end: Math.min(range.end, all.end) };
    const ids = range.ids ?? [];
    if (known.length > 0 && (range.ids === null || known.length + ids.length > knownIdsMax)) {
      yield stepOn(store, filter, known);
      known = [];
    }
    if (range.ids === null) yield stepAndKeep(store, { filter, teamId, part, range, newestId });
    else known.push(...ids.filter((id) => id >= part.first && id < part.end));
  }
  if (known.length > 0) yield stepOn(store, filter, known);
}

function* rangesOfTeam(store: LocalStore, teamId: string, { first, end }: IdRange): Generator<TeamRange> {
  let before = end;
  for (;;) {
    const ranges = store.newestTeamRanges(teamId, before).filter((range) => range.end > first);
    if (ranges.length === 0) return;
    yield* ranges;
    before = ranges.at(-1)?.first ?? first;
  }
}

type KeptStep = { filter: DeliveryFilter; teamId: string; part: IdRange; range: TeamRange; newestId: number };

function stepAndKeep(store: LocalStore, { filter, teamId, part, range, newestId }: KeptStep): Step {
  return {
    range: part,
    rows(limit) {
      const found = select(store, filter, { ...part, limit });
      // Where the limit ends the step, not all of the range was needed.
      if (found.length < limit && newestId >= range.end) store.keepTeamIds(teamId, range);
      return found;
    },
  };
}

function stepOver(store: LocalStore, filter: DeliveryFilter, range: IdRange): Step {
  return { range, rows: (limit) => select(store, filter, { ...range, limit }) };
}

/** Ids in order, the newest first. */
function stepOn(store: LocalStore, filter: DeliveryFilter, ids: readonly number[]): Step {
  const range = { first: ids.at(-1) ?? 0, end: (ids[0] ?? 0) + 1 };
  return { range, rows: (limit) => selectOf(store, filter, { ids, limit }) };
}

const columns = "SELECT d.*, callback_id FROM delivery d";
// The order of the join is given, because the one by callback would read every row of a state.
const joined = "CROSS JOIN callback ON number = d.callback WHERE";

function select({ file }: LocalStore, filter: DeliveryFilter, { first, end, limit }: Stretch): SqlRow[] {
  const { conditions, values } = localConditions(filter);
  // The index of settled rows knows its rows by these words.
  const settled = isDead(filter) ? ["state <> 0"] : [];
  const where = ["id >= ?", "id < ?", ...settled, ...conditions].join(" AND ");
  const text = `${columns} ${indexFor(filter)} ${joined} ${where} ORDER BY id DESC LIMIT ?`;
  return file.prepare(text).all(first, end, ...values, limit);
}

/** Which way a stretch is read: by record, by dead letter, or row by row. */
function indexFor(filter: DeliveryFilter): string {
  if (filter.recordIds) return "";
  if (!isDead(filter)) return "NOT INDEXED";
  return filter.teamIds?.length === 1 ? "INDEXED BY delivery_dead" : "";
}

/** Reads ids until there are enough rows; with a filter that few fit, more at a time. */
function selectOf(
  { file }: LocalStore,
  filter: DeliveryFilter,
  { ids, limit }: { ids: readonly number[]; limit: number },
): SqlRow[] {
  const { conditions, values } = localConditions(filter);
  const where = ["id IN (SELECT value FROM json_each(?))", ...conditions].join(" AND ");
  const statement = file.prepare(`${columns} NOT INDEXED ${joined} ${where} ORDER BY id DESC LIMIT ?`);
  const rows: SqlRow[] = [];
  for (let start = 0, count = limit; start < ids.length && rows.length < limit; start += count, count *= 2) {
    const some = JSON.stringify(ids.slice(start, start + count));
    rows.push(...statement.all(some, ...values, limit - rows.length));
  }
  return rows;
}

/** A filter's conditions on `delivery` joined with `callback`, and their values in order. */
export function localConditions(filter: DeliveryFilter): { conditions: string[]; values: SQLInputValue[] } {
  const values: SQLInputValue[] = [];
  const conditions = filterConditions(filter, {
    value(value) {
      values.push(value);
      return "?";
    },
    oneOf(column, texts) {
      const [only, another] = texts;
      if (only !== undefined && another === undefined) {
        values.push(only);
        return `${column} = ?`;
      }
      values.push(JSON.stringify(texts));
      return `${column} IN (SELECT value FROM json_each(?))`;
    },
  });
  return { conditions, values };
}
