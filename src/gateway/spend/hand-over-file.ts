import { renameSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readBatch } from "#gateway/spend/spend-batch.ts";
import type { Spent } from "#gateway/spend/spent.ts";
import { currentLogger } from "#lib/logger.ts";
import { isRefusedRow } from "#lib/refused-value.ts";

/** Where batches go. It must take a batch of one id once, however often it is handed over. */
export type ApplyBatch = (batchId: string, spent: readonly Spent[]) => Promise<void>;

/** How the names of files of spend end. */
export const ending = ".ndjson";
const singlyEnding = `.singly${ending}`;

/**
 * Hands over one file and removes it. If the database refuses something in it, the file is renamed first, so that from
 * then on its entries are handed over one by one, each once. What is refused by itself or cannot be read stays beside.
 */
export async function handOverFile(dir: string, file: string, apply: ApplyBatch): Promise<void> {
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
export function toRefusal(error: unknown): Error {
  if (isRefusedRow(error) && error instanceof Error) return error;
  throw error;
}

/** A lack of file descriptors or room: it says nothing about the file, and passes. */
const passingCodes = ["EMFILE", "ENFILE", "ENOSPC"];

/** True if the file system refused a file: no permission, a broken disk, a folder in the place of a file. */
export function isFileFault(error: unknown): boolean {
  return (
    error instanceof Error &&
    "syscall" in error &&
    "code" in error &&
    !passingCodes.includes(String(error.code)) &&
    /^(open|read|rename|unlink)$/.test(String(error.syscall))
  );
}
