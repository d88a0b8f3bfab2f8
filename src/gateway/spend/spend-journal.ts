import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Spent } from "#gateway/spend/spent.ts";
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

/** Where batches go. It must take a batch of one id once, however often it is handed over. */
export type ApplyBatch = (batchId: string, spent: readonly Spent[]) => Promise<void>;

/** The journal of this process; a preview or a test has none. */
export const spendJournalState = stateCell<SpendJournal>("spend-journal");

const flushMs = 1_000;
const ending = ".ndjson";

/** Opens the journal of a data directory, and takes over what a process that died left in it. */
export function openSpendJournal(dir: string, apply: ApplyBatch): SpendJournal {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  let open: { file: string; descriptor: number } | null = null;
  let flushing: Promise<void> = Promise.resolve();

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
      await apply(file.slice(0, -ending.length), readBatch(join(dir, file)));
      unlinkSync(join(dir, file));
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
    if (open !== null || readdirSync(dir).length > 0) void flush();
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

/** A line that was cut by a death is no call that was answered. */
function readBatch(path: string): Spent[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return [Spent.parse(JSON.parse(line))];
      } catch {
        return [];
      }
    });
}
