import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { ending, handOverFile, isFileFault, toRefusal, type ApplyBatch } from "#gateway/spend/hand-over-file.ts";
import type { Spent } from "#gateway/spend/spent.ts";
import { newRecordId } from "#lib/id.ts";
import { currentLogger } from "#lib/logger.ts";
import { stateCell } from "#lib/state.ts";

/** Keeps what calls cost until the database has it. */
export type SpendJournal = {
  /** Writes one line, which the death of this process does not undo. */
  note(spent: Spent): void;
  /** Hands over everything that was noted; what the database does not take stays for the next time. */
  flush(): Promise<void>;
  /** Flushes and stops. */
  close(): Promise<void>;
};

/** The journal of this process; a preview or a test has none. */
export const spendJournalState = stateCell<SpendJournal>("spend-journal");

const flushMs = 1_000;
/** What is only given back is handed over sooner: until then it keeps other calls of its budgets out. */
const giveBackMs = 20;

/**
 * Opens the journal of a data directory, and takes over what a process that died left in it. Lines that the disk does
 * not take are kept in memory, and go to the disk or to the database with a later flush.
 */
export function openSpendJournal(dir: string, apply: ApplyBatch): SpendJournal {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const journal: Journal = { dir, open: null, unwritten: [], batch: null, skipped: new Set() };
  let flushing: Promise<void> = Promise.resolve();

  /** One after the other, so that a file is not handed over while it is written. */
  function flush(): Promise<void> {
    flushing = flushing
      .then(() => handOver(journal, apply))
      .catch((error: unknown) => {
        currentLogger().warn({ error: String(error) }, "spend could not be stored now; it is kept and tried again");
      });
    return flushing;
  }

  const timer = setInterval(() => void flush(), flushMs);
  timer.unref();
  let isClosed = false;
  let soon: NodeJS.Timeout | null = null;
  function flushSoon(): void {
    soon ??= setTimeout(() => {
      soon = null;
      void flush();
    }, giveBackMs).unref();
  }

  return {
    note(spent) {
      // After a failure the next flush tries again, not every call.
      if (journal.unwritten.length > 0 || !write(journal, [spent])) journal.unwritten.push(spent);
      else if (spent.usd === 0 && !isClosed) flushSoon();
    },
    flush,
    async close() {
      isClosed = true;
      clearInterval(timer);
      if (soon !== null) clearTimeout(soon);
      await flush();
      // The database took an earlier batch from memory; what came after that batch is still there.
      if (journal.batch === null && journal.unwritten.length > 0) await flush();
      const lost = journal.unwritten.length + (journal.batch?.spent.length ?? 0);
      if (lost > 0) currentLogger().error({ calls: lost }, "spend could neither be written nor stored; it is lost");
    },
  };
}

type Journal = {
  dir: string;
  open: { file: string; descriptor: number } | null;
  /** What the disk did not take. */
  unwritten: Spent[];
  /** What goes from memory to the database. It keeps its id until the database has it, so it counts once. */
  batch: { id: string; spent: readonly Spent[] } | null;
  /** Files that cannot be read. */
  skipped: Set<string>;
};

/** Appends lines; false if the disk did not take all of them, and then the file is as it was before. */
function write(journal: Journal, lines: readonly Spent[]): boolean {
  let sizeBefore: number | null = null;
  try {
    if (journal.open === null) {
      const file = `${newRecordId()}${ending}`;
      journal.open = { file, descriptor: openSync(join(journal.dir, file), "a", 0o600) };
    }
    const { descriptor } = journal.open;
    const bytes = Buffer.from(lines.map((spent) => `${JSON.stringify(spent)}\n`).join(""), "utf8");
    sizeBefore = fstatSync(descriptor).size;
    if (writeSync(descriptor, bytes) === bytes.length) return true;
    throw new Error("The disk took a part only.");
  } catch (error) {
    if (journal.unwritten.length === 0)
      currentLogger().error({ error: String(error) }, "spend cannot be written now; it is kept in memory");
    undoWrite(journal, sizeBefore);
    return false;
  }
}

/** A file with half a line in it is cut back, and not written to again. */
function undoWrite(journal: Journal, size: number | null): void {
  const { open } = journal;
  journal.open = null;
  if (open === null) return;
  try {
    if (size !== null) ftruncateSync(open.descriptor, size);
    closeSync(open.descriptor);
  } catch (error) {
    currentLogger().error({ error: String(error) }, "a file of spend could not be cut back");
  }
}

async function handOver(journal: Journal, apply: ApplyBatch): Promise<void> {
  if (journal.unwritten.length > 0 && write(journal, journal.unwritten)) journal.unwritten = [];
  const { dir, open, skipped } = journal;
  journal.open = null;
  if (open !== null) closeSync(open.descriptor);
  const files = readdirSync(dir).filter((file) => file.endsWith(ending) && !skipped.has(file));
  for (const file of files.toSorted()) {
    await handOverFile(dir, file, apply).catch((error: unknown) => {
      if (!isFileFault(error)) throw error;
      // It keeps no other file waiting. The next start tries it again.
      skipped.add(file);
      currentLogger().error({ file: join(dir, file), error: String(error) }, "a file of spend cannot be read");
    });
  }
  await handOverMemory(journal, apply);
}

/** What neither the disk nor the database took yet. An entry that the database refuses is only logged. */
async function handOverMemory(journal: Journal, apply: ApplyBatch): Promise<void> {
  if (journal.batch === null && journal.unwritten.length > 0) {
    journal.batch = { id: newRecordId(), spent: journal.unwritten };
    journal.unwritten = [];
  }
  if (journal.batch === null) return;
  const { id, spent } = journal.batch;
  const refusal = await apply(id, spent).then(() => null, toRefusal);
  for (const [index, one] of (refusal === null ? [] : spent).entries()) {
    const refused = await apply(`${id}-${String(index)}`, [one]).then(() => null, toRefusal);
    if (refused !== null) currentLogger().error({ ...one, reason: refused.message }, "spend is not counted");
  }
  journal.batch = null;
}
