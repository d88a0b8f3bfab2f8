import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { currentLogger } from "#lib/logger.ts";
import { isDamage } from "#logging/queue/local-file.ts";
import { makeLossFinder } from "#logging/queue/local-loss.ts";
import { markerPath, noteDamage, readFirstPage, writeMarker } from "#logging/queue/local-marker.ts";
import { DamagedQueue, integerOf, textOf } from "#logging/queue/local-row.ts";
import { rescueFile } from "#logging/queue/local-rescue.ts";
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
  /** Looks a last time. Returns false if the file is damaged or lost. */
  stop(): boolean;
  /** Reports what was found while the file was closed. */
  fail(error: unknown): void;
};

const everyMs = 2_000;

/**
 * Keeps the marker of a file up to date, and looks whether the file is still there: what is committed to a file without a
 * name, or to one that was emptied, cannot be read back.
 */
export function watchFile(path: string, store: LocalStore, onDamage: OnDamage | undefined): Watch {
  const pageBytes = integerOf(store.file.prepare("PRAGMA page_size").get() ?? {}, "page_size");
  const mark = makeMarkerWriter(path, store, pageBytes);
  const findLoss = makeLossFinder(path, pageBytes);
  let isOver = false;
  const ended = (): boolean => isOver;

  /** From here on nothing is committed: it would not be in the copy. Whoever waits is served by the next thread. */
  function report(error: unknown): void {
    if (isOver || onDamage === undefined) return;
    isOver = true;
    const reason = error instanceof Error ? error.message : String(error);
    try {
      if (findLoss() !== null) rescue(path, store, mark);
      noteDamage(path, `damaged while it was used: ${reason}`);
    } catch (failure) {
      // Whoever waits is served by the next thread, so that one must start whatever fails here.
      currentLogger().error({ file: path, error: String(failure) }, "the damage of the queue file cannot be noted");
    }
    currentLogger().error({ file: path, error: reason }, "the queue file is damaged; it is verified and opened again");
    onDamage(new Error(reason, { cause: error }));
  }

  function look(): void {
    try {
      const loss = findLoss();
      if (loss !== null) throw new DamagedQueue(loss);
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
        if (ended()) return new Promise(() => undefined);
        try {
          return await work(...args);
        } catch (error) {
          if (isDamage(error) || findLoss() !== null) report(error);
          if (ended()) return new Promise(() => undefined);
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
      if (!ended()) look();
      return !ended();
    },
    fail: report,
  };
}

/** Copies what the open connection reads of a lost file, and writes down before how many records the copy must hold. */
function rescue(path: string, { file }: LocalStore, mark: () => void): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    mark();
  } catch (error) {
    currentLogger().warn({ file: path, error: String(error) }, "the records of the lost queue file cannot be counted");
  }
  if (rescueFile(file, path)) return;
  currentLogger().error({ file: path }, "the queue file was lost while it was used, and no copy could be made of it");
}

/** Makes the function that writes the marker of a file if something changed since. */
function makeMarkerWriter(path: string, { file }: LocalStore, pageBytes: number): () => void {
  const id = textOf(file.prepare("SELECT id FROM identity").get() ?? {}, "id");
  const numbers = file.prepare("SELECT number, callback_id, pending FROM callback");
  const firstPage = readFirstPage(path, pageBytes);
  let written = "";
  return () => {
    const rows = numbers.all();
    const pending = rows.reduce((sum, row) => sum + integerOf(row, "pending"), 0);
    const callbacks = Object.fromEntries(rows.map((row) => [integerOf(row, "number"), textOf(row, "callback_id")]));
    const text = JSON.stringify([pending, callbacks]);
    if (text === written && existsSync(markerPath(path))) return;
    writeMarker(path, { id, pending, callbacks, firstPage });
    written = text;
  };
}
