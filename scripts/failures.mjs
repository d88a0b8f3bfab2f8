// What failed in a run of checks, told again at its end: a log of which only the end was kept still tells why.
import { appendFileSync, existsSync, readFileSync } from "node:fs";

const escapes = new RegExp(`${String.fromCodePoint(27)}\\[[0-9;]*m`, "g");
const linesMax = 12;
const columnsMax = 300;

/** Prints one failure in a few lines, and writes it to the file that `SLUICE_FAILURES_FILE` names, where it is set. */
export function tellFailure(title, messages) {
  const lines = messages.join("\n").replaceAll(escapes, "").split("\n");
  const reason = lines
    .filter((line) => line.trim() !== "")
    .slice(0, linesMax)
    .map((line) => `  ${line.slice(0, columnsMax)}\n`);
  const text = `${title}\n${reason.join("")}`;
  console.log(`\n${text.trimEnd()}`);
  const { SLUICE_FAILURES_FILE: file } = process.env;
  if (file) appendFileSync(file, text);
}

/** The failures that were written to a file since it was made, oldest first: one text, empty where there are none. */
export function readFailures(file) {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}
