import type { Keyring } from "#lib/seal.ts";
import { openContent } from "#logging/queue/queue-content.ts";
import { noteUnopened } from "#logging/queue/unopened-contents.ts";

/** The contents of a record that open; one that does not is told of in our own log. */
export function openBodies(
  keyring: Keyring,
  whose: { recordId: string; teamId: string | null },
  contents: readonly { number: number; sealed: Uint8Array }[],
): string[] {
  return contents.flatMap(({ number, sealed }) => {
    try {
      return [openContent(keyring, { ...whose, number }, sealed)];
    } catch (error) {
      noteUnopened(whose.recordId, error);
      return [];
    }
  });
}
