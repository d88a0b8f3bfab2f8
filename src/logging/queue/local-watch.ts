import { existsSync, statSync } from "node:fs";
import { currentLogger } from "#lib/logger.ts";
import { isDamage } from "#logging/queue/local-file.ts";
import { noteDamage, readFirstPage, writeMarker } from "#logging/queue/local-marker.ts";
import { DamagedQueue, integerOf, textOf } from "#logging/queue/local-row.ts";
import type { LocalStore } from "#logging/queue/local-store.ts";

/** Called once if the file is found damaged while it is used. Nothing can be committed from then on. */
export type OnDamage = (error: Error) => void;

/** Watches the file of a local queue while it is used. */
export type Watch = {
  /**
   * Makes work report damage. With an `onDamage`, the work is never over then: whoever takes the queue over, does it
   * again. Without one it throws.
   */
  guard<Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>): (...args: Args) => Promise<Result>;
  /** Makes work that is synchronous report damage, and throw all the same. */
  guardSync<Args extends unknown[], Result>(work: (...args: Args) => Result): (...args: Args) => Result;
  stop(): void;
};

const everyMs = 2_000;

/**
 * Keeps the marker of a file up to date, and looks whether the file is still there: what is committed to a file without a
 * name, or to one that was emptied, cannot be read back.
 */
export function watchFile(path: string, store: LocalStore, onDamage: OnDamage | undefined): Watch {
  const { file } = store;
  const id = textOf(file.prepare("SELECT id FROM identity").get() ?? {}, "id");
  const pageBytes = integerOf(file.prepare("PRAGMA page_size").get() ?? {}, "page_size");
  const numbers = file.prepare("SELECT number, callback_id, pending FROM callback");
  const firstPage = readFirstPage(path, pageBytes);
  const { ino } = statSync(path);
  let written = "";
  let isOver = false;

  function mark(): void {
    const rows = numbers.all();
    const pending = rows.reduce((sum, row) => sum + integerOf(row, "pending"), 0);
    const callbacks = Object.fromEntries(rows.map((row) => [integerOf(row, "number"), textOf(row, "callback_id")]));
    const marker = { id, pending, callbacks, firstPage };
    const text = JSON.stringify([pending, callbacks]);
    if (text === written) return;
    writeMarker(path, marker);
    written = text;
  }

  function report(error: unknown): void {
    if (isOver || onDamage === undefined) return;
    isOver = true;
    const reason = error instanceof Error ? error.message : String(error);
    currentLogger().error({ file: path, error: reason }, "the queue file is damaged; it is verified and opened again");
    noteDamage(path, `damaged while it was used: ${reason}`);
    onDamage(new Error(reason, { cause: error }));
  }

  function look(): void {
    try {
      const found = existsSync(path) ? statSync(path) : null;
      if (found?.ino !== ino || found.size < pageBytes) throw new DamagedQueue("it was removed, replaced or emptied.");
      mark();
    } catch (error) {
      if (isDamage(error)) report(error);
      else currentLogger().warn({ file: path, error: String(error) }, "the marker of the queue file cannot be written");
    }
  }

  look();
  const timer = setInterval(look, everyMs);
  timer.unref();
  return {
    guard:
      (work) =>
      async (...args) => {
        try {
          return await work(...args);
        } catch (error) {
          if (isDamage(error)) report(error);
          if (isOver && isDamage(error)) return new Promise(() => undefined);
          throw error;
        }
      },
    guardSync:
      (work) =>
      (...args) => {
        try {
          return work(...args);
        } catch (error) {
          if (isDamage(error) && !(error instanceof DamagedQueue)) report(error);
          throw error;
        }
      },
    stop() {
      clearInterval(timer);
      if (!isOver) look();
    },
  };
}
