import type { LocalStore } from "#logging/queue/local-store.ts";
import { integerOf } from "#logging/queue/local-row.ts";
import { sealContent } from "#logging/queue/queue-content.ts";
import type { QueueEntry } from "#logging/queue/queue.ts";
import type { Keyring } from "#lib/seal.ts";

/** What sealing needs. */
export type Sealer = { keyring: Keyring; now: () => Date };

/** Makes the `append` of a local queue. */
export function makeAppend(store: LocalStore, sealer: Sealer): (entries: readonly QueueEntry[]) => void {
  const addDelivery = store.file.prepare(
    `INSERT INTO delivery (record_id, callback, state, content_id, due_at_ms, tries, created_at_ms,
       call_id, team_id, key_hash, age_from_ms)
     VALUES (?, ?, 0, ?, ?, 0, ?, ?, ?, ?, ?) ON CONFLICT (record_id, callback) DO NOTHING`,
  );
  const addContent = store.file.prepare("INSERT INTO content (content_id, number, sealed) VALUES (?, ?, ?)");
  const last = store.file.prepare("SELECT coalesce(max(content_id), 0) AS id FROM content").get() ?? {};
  let nextContentId = integerOf(last, "id") + 1;

  function appendEntry(entry: QueueEntry, now: Date) {
    const { recordId, teamId, createdAtMs, queuedAtMs = null } = entry;
    const callId = entry.callId === recordId ? null : entry.callId;
    // A clock that was set back must not make a record wait.
    const dueAtMs = Math.min(queuedAtMs ?? createdAtMs, now.getTime());
    for (const [number, { body, callbackIds }] of entry.contents.entries()) {
      const contentId = nextContentId;
      let added = 0;
      for (const callbackId of callbackIds) {
        const callback = store.callbackNumber(callbackId);
        const { changes, lastInsertRowid } = addDelivery.run(
          ...[recordId, callback, contentId, dueAtMs, createdAtMs, callId, teamId, entry.keyHash, queuedAtMs],
        );
        if (Number(changes) === 0) continue;
        store.count(callback, "pending", 1);
        if (teamId !== null) store.noteTeam(teamId, Number(lastInsertRowid));
        added += 1;
      }
      if (added === 0) continue;
      nextContentId += 1;
      addContent.run(contentId, number, sealContent(sealer.keyring, { recordId, teamId, number }, { body, now }));
      store.recentTexts.set(contentId, body);
    }
  }

  return (entries) => {
    const now = sealer.now();
    try {
      store.write(() => {
        for (const entry of entries) appendEntry(entry, now);
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`The local queue kept none of ${String(entries.length)} records: ${reason}`, { cause: error });
    }
  };
}
