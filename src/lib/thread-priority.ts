import { setPriority } from "node:os";
import { currentLogger } from "#lib/logger.ts";

/** A thread of this niceness gets a third of the time of one of 0, where they want the same core. */
const lowNice = 5;

/**
 * Lets the other threads of this process go first where cores are scarce: those who wait for an answer feel every
 * millisecond of it, those who wait for a log do not. Linux alone has priorities of single threads
 * (setpriority(2), "C library/kernel differences"); elsewhere this does nothing.
 */
export function lowerThreadPriority(): void {
  if (process.platform !== "linux") return;
  try {
    setPriority(0, lowNice);
  } catch (error) {
    currentLogger().debug({ error: String(error) }, "the priority of a thread could not be lowered");
  }
}
