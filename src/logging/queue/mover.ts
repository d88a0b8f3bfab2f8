import { currentLogger } from "#lib/logger.ts";
import type { DatabaseQueue } from "#logging/queue/database.ts";
import type { LocalQueue } from "#logging/queue/local.ts";

/** Moves a local queue into the database. */
export type Mover = {
  /** Something was put into the local queue. */
  note(): void;
  /** Moves what there is, a part at a time. Throws where the database took a part not; the rest is still there then. */
  move(): Promise<void>;
  /** Runs work between two parts: what is removed from both queues must not be on its way from one to the other. */
  pause<T>(work: () => Promise<T>): Promise<T>;
};

/** Makes the mover of two queues. What an earlier process left in the local queue is moved too. */
export function makeMover(database: DatabaseQueue, local: LocalQueue): Mover {
  let isEmpty = false;
  let last: Promise<unknown> = Promise.resolve();

  /** One at a time, in order. */
  function alone<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  }

  async function movePart(): Promise<number> {
    const part = local.peek();
    if (part.ids.length === 0) return 0;
    // Where this process dies in between, the part is inserted again, and nothing of it is there twice.
    await database.insert(part.toRows(await database.takeContentIds(part.contents)));
    local.forget(part.ids);
    return part.ids.length;
  }

  return {
    note() {
      isEmpty = false;
    },
    async move() {
      let moved = 0;
      while (!isEmpty) {
        isEmpty = true;
        const count = await alone(movePart).catch((error: unknown) => {
          isEmpty = false;
          throw error;
        });
        if (count > 0) isEmpty = false;
        moved += count;
      }
      if (moved > 0) currentLogger().info({ deliveries: moved }, "the local queue was moved to the database");
    },
    pause: alone,
  };
}
