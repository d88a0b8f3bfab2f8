import { expect } from "vitest";

/** Matches what a row shows of a secret: at most its last four characters, and a fingerprint. */
export function shownSecret(lastFour = ""): unknown {
  return expect.stringMatching(new RegExp(`^\\*{8}${lastFour} \\(fingerprint [0-9a-f]{10}\\)$`));
}
