import { readFileSync } from "node:fs";
import { Spent } from "#gateway/spend/spent.ts";
import { isStorable } from "#lib/storable.ts";

/** What a file of the journal says: what calls cost, and lines of which that cannot be told. */
export type SpendBatch = { spent: Spent[]; unreadable: string[] };

/**
 * Reads a file of the journal. The end of a file that a death cut off is no call that was answered. Any other line that
 * cannot be read is damage. If a whole entry follows on it in the same line, that entry counts.
 */
export function readBatch(path: string): SpendBatch {
  const lines = readFileSync(path, "utf8").split("\n");
  const cut = lines.pop() ?? "";
  const batch: SpendBatch = { spent: [], unreadable: [] };
  for (const line of [...lines, ...(parse(cut) ? [cut] : [])]) {
    if (line === "") continue;
    const whole = parse(line);
    const spent = whole ?? parse(line.slice(line.lastIndexOf('{"key":')));
    if (whole === null) batch.unreadable.push(line);
    if (spent !== null) batch.spent.push(spent);
  }
  return batch;
}

function parse(line: string): Spent | null {
  try {
    const spent = Spent.parse(JSON.parse(line));
    return isStorable(spent) ? spent : null;
  } catch {
    return null;
  }
}
