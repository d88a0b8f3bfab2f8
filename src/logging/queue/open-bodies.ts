import type { Keyring } from "#lib/seal.ts";
import { currentLogger } from "#lib/logger.ts";
import { openContent } from "#logging/queue/queue-content.ts";

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
      currentLogger().warn({ recordId: whose.recordId, error: String(error) }, "kept content cannot be opened");
      return [];
    }
  });
}
