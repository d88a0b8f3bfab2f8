import { closeSync, mkdirSync, openSync, readdirSync, renameSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { readBatch } from "#gateway/spend/spend-batch.ts";
import type { Spent } from "#gateway/spend/spent.ts";
import { newRecordId } from "#lib/id.ts";
import { currentLogger } from "#lib/logger.ts";
import { isRefusedRow } from "#lib/refused-value.ts";
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

/** Where batches go. It must take a batch of one id once, however often it is handed over. */
export type ApplyBatch = (batchId: string, spent: readonly Spent[]) => Promise<void>;

/** The journal of this process; a preview or a test has none. */
export const spendJournalState = stateCell<SpendJournal>("spend-journal");

const flushMs = 1_000;
const ending = ".ndjson";
const singlyEnding = `.singly${ending}`;

/** Opens the journal of a data directory, and takes over what a process that died left in it. */
export function openSpendJournal(dir: string, apply: ApplyBatch): SpendJournal {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  let open: { file: string; descriptor: number } | null = null;
  let flushing: Promise<void> = Promise.resolve();
  const skipped = new Set<string>();

  function note(spent: Spent): void {
    if (open === null) {
      const file = `${newRecordId()}${ending}`;
      open = { file, descriptor: openSync(join(dir, file), "a", 0o600) };
    }
    writeSync(open.descriptor, `${JSON.stringify(spent)}\n`);
  }

  async function handOver(): Promise<void> {
    if (open !== null) closeSync(open.descriptor);
    open = null;
    const files = readdirSync(dir).filter((file) => file.endsWith(ending));
    for (const file of files.toSorted()) {
      if (skipped.has(file)) continue;
      await handOverFile(dir, file, apply).catch((error: unknown) => {
        if (!isFileFault(error)) throw error;
        // It keeps no other file waiting. The next start tries it again.
        skipped.add(file);
        currentLogger().error({ file: join(dir, file), error: String(error) }, "a file of spend cannot be read");
      });
    }
  }

  /** One after the other, so that a file is not handed over while it is written. */
  function flush(): Promise<void> {
    flushing = flushing.then(handOver).catch((error: unknown) => {
      currentLogger().warn({ error: String(error) }, "spend could not be stored now; it is kept and tried again");
    });
    return flushing;
  }

  const timer = setInterval(() => {
    if (open !== null || readdirSync(dir).some((file) => file.endsWith(ending) && !skipped.has(file))) void flush();
  }, flushMs);
  timer.unref();
  return {
    note,
    flush,
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}

/**
 * Hands over one file and removes it. If the database refuses something in it, the file is renamed first, so that from
 * then on its entries are handed over one by one, each once. What is refused by itself or cannot be read stays beside.
 */
async function handOverFile(dir: string, file: string, apply: ApplyBatch): Promise<void> {
  const id = file.slice(0, file.indexOf("."));
  const { spent, unreadable } = readBatch(join(dir, file));
  const lost = unreadable.map((line) => ({ line, reason: "it cannot be read" }));
  if (file.endsWith(singlyEnding)) {
    for (const [index, one] of spent.entries()) {
      const refusal = await apply(`${id}-${String(index)}`, [one]).then(() => null, toRefusal);
      if (refusal !== null) lost.push({ line: JSON.stringify(one), reason: refusal.message });
    }
  } else {
    const refusal = await apply(id, spent).then(() => null, toRefusal);
    if (refusal !== null) {
      const singly = `${id}${singlyEnding}`;
      renameSync(join(dir, file), join(dir, singly));
      return handOverFile(dir, singly, apply);
    }
  }
  if (lost.length > 0) {
    const kept = join(dir, `${id}.refused`);
    writeFileSync(kept, lost.map(({ line }) => `${line}\n`).join(""), { mode: 0o600 });
    const reasons = [...new Set(lost.map(({ reason }) => reason))];
    currentLogger().error({ file: kept, entries: lost.length, reasons }, "spend is not counted: its entries are kept");
  }
  unlinkSync(join(dir, file));
}

/** The error if the database refused a value; else it is thrown, because it is a matter of waiting. */
function toRefusal(error: unknown): Error {
  if (isRefusedRow(error) && error instanceof Error) return error;
  throw error;
}

/** True if the file system refused something: no permission, a broken disk, a folder in the place of a file. */
function isFileFault(error: unknown): boolean {
  return (
    error instanceof Error &&
    "syscall" in error &&
    "errno" in error &&
    /^(open|read|rename|unlink)$/.test(String(error.syscall))
  );
}
