import type { StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { Sealer } from "#logging/queue/local-append.ts";
import { isDamage } from "#logging/queue/local-file.ts";
import type { Leases } from "#logging/queue/local-leases.ts";
import { DamagedQueue, integerOf, type SqlRow, textOf, textOrNull } from "#logging/queue/local-row.ts";
import type { LocalStore } from "#logging/queue/local-store.ts";
import { openContent } from "#logging/queue/queue-content.ts";
import type { ClaimedDelivery, ClaimRequest } from "#logging/queue/queue.ts";
import { noteUnopened } from "#logging/queue/unopened-contents.ts";

/** A delivery whose content does not open, and why. */
type Broken = { deliveryId: number; reason: string };

/** The parts of a local queue that claiming needs. */
export type ClaimParts = { store: LocalStore; leases: Leases; sealer: Sealer };

type BodyParts = { store: LocalStore; sealer: Sealer; content: StatementSync };

/** Makes the `claim` of a local queue. A delivery whose content does not open becomes dead and stops nobody. */
export function makeClaim({ store, leases, sealer }: ClaimParts) {
  const statements = prepareStatements(store);

  function claimOnce(callback: number, request: ClaimRequest) {
    const claimed: ClaimedDelivery[] = [];
    const broken: Broken[] = [];
    let bytes = 0;
    for (const due of statements.due.iterate(callback, request.nowMs)) {
      if (claimed.length + broken.length >= request.limit) break;
      const deliveryId = integerOf(due, "id");
      if (leases.isHeld(deliveryId, request.nowMs)) continue;
      const row = statements.get.get(deliveryId) ?? {};
      try {
        const contentId = integerOf(row, "content_id");
        const body = readBody(contentId, row, { store, sealer, content: statements.content });
        bytes += body.length;
        if (claimed.length > 0 && bytes > request.bytesMax) break;
        const recordId = textOf(row, "record_id");
        const untilMs = request.nowMs + request.leaseMs;
        claimed.push({
          deliveryId: leases.add({ deliveryId, callback, recordId, contentId, untilMs }),
          recordId,
          callbackId: request.callbackId,
          teamId: textOrNull(row, "team_id"),
          keyHash: textOrNull(row, "key_hash"),
          createdAtMs: integerOf(row, "created_at_ms"),
          ageFromMs: integerOf(row, "age_from_ms"),
          tries: integerOf(row, "tries"),
          body,
        });
      } catch (error) {
        // A row that is odd by itself stops nobody; pages that cannot be read are the file's fault.
        if (isDamage(error) && !(error instanceof DamagedQueue)) throw error;
        noteUnopened(textOf(row, "record_id"), error);
        broken.push({ deliveryId, reason: error instanceof Error ? error.message : String(error) });
      }
    }
    return { claimed, broken };
  }

  function bury(callback: number, broken: readonly Broken[], nowMs: number) {
    store.write(() => {
      for (const { deliveryId, reason } of broken) {
        statements.bury.run(nowMs, `The queued content cannot be opened: ${reason}`, deliveryId);
        store.count(callback, "pending", -1);
        store.count(callback, "dead", 1);
      }
    });
    for (const { deliveryId } of broken) leases.end(deliveryId);
  }

  return async function claim(request: ClaimRequest): Promise<ClaimedDelivery[]> {
    for (;;) {
      const callback = store.findCallback(request.callbackId);
      if (callback === null) return [];
      const { claimed, broken } = claimOnce(callback, request);
      if (broken.length > 0) bury(callback, broken, request.nowMs);
      if (claimed.length > 0 || broken.length === 0) return claimed;
      // Nothing but broken ones so far: look further, but let others work in between.
      await setImmediate();
    }
  };
}

/** The content of a delivery: from memory where it was appended lately, else read, opened and decompressed. */
function readBody(contentId: number, row: SqlRow, parts: BodyParts): string {
  const { store, sealer, content } = parts;
  const recent = store.recentTexts.get(contentId);
  if (recent !== undefined) return recent;
  const stored = content.get(contentId) ?? {};
  if (!(stored.sealed instanceof Uint8Array)) throw new Error("it is missing from the queue.");
  const place = {
    recordId: textOf(row, "record_id"),
    teamId: textOrNull(row, "team_id"),
    number: integerOf(stored, "number"),
  };
  return openContent(sealer.keyring, place, stored.sealed);
}

function prepareStatements({ file }: LocalStore) {
  return {
    // Reads the index alone, so that passing over what is handed out already costs no row and no content.
    due: file.prepare(
      `SELECT id FROM delivery INDEXED BY delivery_pending
         WHERE callback = ? AND state = 0 AND due_at_ms <= ? ORDER BY due_at_ms, id`,
    ),
    get: file.prepare(
      `SELECT record_id, team_id, key_hash, created_at_ms, coalesce(age_from_ms, created_at_ms) AS age_from_ms, tries,
         content_id FROM delivery WHERE id = ?`,
    ),
    content: file.prepare("SELECT number, sealed FROM content WHERE content_id = ?"),
    bury: file.prepare(
      "UPDATE delivery SET state = 2, settled_at_ms = ?, status = 0, message = ? WHERE id = ? AND state = 0",
    ),
  };
}
