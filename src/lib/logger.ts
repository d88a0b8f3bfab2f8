import pino from "pino";
import { stateCell } from "#lib/state.ts";

/** Our own log: JSON lines on stdout, without prompts, answers or secrets at any level. */
export type Logger = pino.Logger;

const cell = stateCell<Logger>("logger");

/** Makes the logger of this process at a level of pino's. */
export function setLogger(level: string): Logger {
  const logger = pino({ level, base: { service: "sluice" }, timestamp: pino.stdTimeFunctions.isoTime });
  cell.set(logger);
  return logger;
}

/** The logger of this process; silent until one was set, so that tests print nothing. */
export function currentLogger(): Logger {
  const known = cell.find();
  if (known) return known;
  return setLogger("silent");
}
