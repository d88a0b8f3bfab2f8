import { currentLogger } from "#lib/logger.ts";

const everyMs = 2_000;

/**
 * Stores every two seconds what is counted in memory; the returned function ends it, after a last time. A time that
 * fails is a warning with `complaint`: `store` has kept the counts for the next one.
 */
export function startStoringCounts(store: () => Promise<void>, complaint: string): () => Promise<void> {
  const attempt = (): Promise<void> =>
    store().catch((error: unknown) => {
      currentLogger().warn({ error: String(error) }, complaint);
    });
  const timer = setInterval(() => void attempt(), everyMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await attempt();
  };
}
