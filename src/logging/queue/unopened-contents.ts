import { currentLogger } from "#lib/logger.ts";
import { MissingKeyError } from "#lib/seal.ts";

/** How many contents did not open since this thread started, by the key that is missing; empty: another reason. */
const counts = new Map<string, number>();

/** Names a record whose content does not open in our own log, and counts it. */
export function noteUnopened(recordId: string, error: unknown): void {
  const keyId = error instanceof MissingKeyError ? error.keyId : "";
  counts.set(keyId, (counts.get(keyId) ?? 0) + 1);
  const reason = error instanceof Error ? error.message : String(error);
  currentLogger().error({ recordId, keyId, reason }, "the content of a queued record cannot be opened");
}

/** Contents that did not open, by the id of the key that is missing. */
export type UnopenedContents = { keyId: string; count: number };

/** What `noteUnopened` has counted in this thread. */
export function countUnopened(): UnopenedContents[] {
  return [...counts].map(([keyId, count]) => ({ keyId, count }));
}
