import type { Database } from "#lib/db.ts";
import { currentLogger } from "#lib/logger.ts";
import { isRefusedRow } from "#lib/refused-value.ts";
import { startStoringCounts } from "#lib/store-counts.ts";
import { countSuppressedCall, takeSuppressedCalls } from "#logging/suppressed-calls.ts";

/** Adds what was counted to the open disables of the teams; what a key of another team left out is not kept. */
export async function keepSuppressedCounts(db: Database["db"]): Promise<void> {
  const counts = new Map(takeSuppressedCalls());
  try {
    for (const [teamId, count] of counts) {
      const data = { callsNotLogged: { increment: count } };
      const updated = db.loggingDisable.updateMany({ where: { teamId, enabledAt: null }, data });
      await updated.catch((error: unknown) => {
        if (!isRefusedRow(error)) throw error;
        // No row can have such an id, and other teams are counted.
        currentLogger().error({ count, error: String(error) }, "calls of a team could not be counted as not logged");
      });
      counts.delete(teamId);
    }
  } catch (error) {
    // Counted again, for the next time.
    for (const [teamId, count] of counts) for (let call = 0; call < count; call += 1) countSuppressedCall(teamId);
    throw error;
  }
}

/** Does so every two seconds; the returned function ends it, after a last time. */
export function startKeepingSuppressedCounts(db: Database["db"]): () => Promise<void> {
  return startStoringCounts(() => keepSuppressedCounts(db), "calls that were not logged could not be counted");
}
