import { currentLogger } from "#lib/logger.ts";
import { isRefusedRow } from "#lib/refused-value.ts";
import type { DatabaseQueue } from "#logging/queue/database.ts";
import type { NewRows } from "#logging/queue/database-rows.ts";
import type { LocalQueue } from "#logging/queue/local.ts";
import type { MovingRows } from "#logging/queue/local-move.ts";

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

  /** Records that the database refuses. They stay in the file, and keep no other record there. */
  const refused = new Set<string>();

  async function move(part: MovingRows): Promise<void> {
    // If this process dies in between, the part is inserted again, and nothing of it is there twice.
    await database.insert(toRows(part, await database.takeContentIds(part.contents)));
    local.forget(part.ids);
  }

  async function moveEach(recordIds: readonly string[]): Promise<void> {
    for (const recordId of recordIds) {
      try {
        await move(local.peekRecord(recordId));
      } catch (error) {
        if (!isRefused(error)) throw error;
        refused.add(recordId);
        currentLogger().error(
          { recordId, error: String(error) },
          "a record cannot be moved and stays in the local queue",
        );
      }
    }
  }

  async function movePart(): Promise<number> {
    const part = local.peek(refused);
    if (part.recordIds.length === 0) return 0;
    try {
      await move(part);
    } catch (error) {
      if (!isRefused(error)) throw error;
      await moveEach(part.recordIds);
    }
    return part.recordIds.length;
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
      if (moved > 0) currentLogger().info({ records: moved }, "the local queue was moved to the database");
    },
    pause: alone,
  };
}

/** A row of the file that is none of a queue. */
class UnreadableRow extends Error {}

function toRows(part: MovingRows, contentIds: Iterator<number>): NewRows {
  try {
    return part.toRows(contentIds);
  } catch (error) {
    throw new UnreadableRow(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** True if the rows are at fault, and not the database. */
function isRefused(error: unknown): boolean {
  return error instanceof UnreadableRow || isRefusedRow(error);
}
