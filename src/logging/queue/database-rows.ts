import type { Sealer } from "#logging/queue/local-append.ts";
import { sealContent } from "#logging/queue/queue-content.ts";
import type { QueueEntry } from "#logging/queue/queue.ts";

/** The states of a delivery in the order of their numbers in the database. */
export const stateNumbers = { pending: 0, delivered: 1, dead: 2, suppressed: 3 } as const;

/** One delivery as it is inserted. */
export type NewDelivery = {
  recordId: string;
  callbackId: string;
  state: number;
  contentId: number | null;
  /** Of the content as it is handed out, about; where that is not known, as it is stored. */
  bytes: number;
  dueAtMs: number;
  tries: number;
  createdAtMs: number;
  ageFromMs: number;
  settledAtMs: number | null;
  status: number | null;
  callId: string | null;
  teamId: string | null;
  keyHash: string | null;
  message: string | null;
};

/** One content as it is inserted. */
export type NewContent = { contentId: number; number: number; shared: boolean; sealed: Buffer };

/** What one insert writes. */
export type NewRows = { deliveries: NewDelivery[]; contents: NewContent[] };

/** The rows of pending entries, their content sealed. Content ids come from `ids`, which has enough of them. */
export function toNewRows(entries: readonly QueueEntry[], ids: Iterator<number>, sealer: Sealer): NewRows {
  const now = sealer.now();
  const rows: NewRows = { deliveries: [], contents: [] };
  for (const entry of entries) {
    const { recordId, teamId, keyHash, createdAtMs, queuedAtMs = createdAtMs } = entry;
    const callId = entry.callId === recordId ? null : entry.callId;
    // A clock that was set back must not make a record wait.
    const dueAtMs = Math.min(queuedAtMs, now.getTime());
    for (const [number, { body, callbackIds }] of entry.contents.entries()) {
      const contentId = Number(ids.next().value);
      const sealed = sealContent(sealer.keyring, { recordId, teamId, number }, { body, now });
      rows.contents.push({ contentId, number, shared: callbackIds.length > 1, sealed });
      for (const callbackId of callbackIds) {
        rows.deliveries.push({
          ...{ recordId, callbackId, contentId, callId, teamId, keyHash, createdAtMs, dueAtMs },
          ...{ state: stateNumbers.pending, bytes: body.length, tries: 0, ageFromMs: queuedAtMs },
          ...{ settledAtMs: null, status: null, message: null },
        });
      }
    }
  }
  return rows;
}

/** How many content ids `toNewRows` takes. */
export function countContents(entries: readonly QueueEntry[]): number {
  return entries.reduce((sum, { contents }) => sum + contents.length, 0);
}
