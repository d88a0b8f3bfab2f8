import { configState } from "#lib/config.ts";
import type { Db } from "#lib/db.ts";
import type { DeliveryAnswers } from "#logging/delivery-thread.ts";
import { redactionFor } from "#logging/policy.ts";
import { readStatement } from "#logging/read-statement.ts";
import { resolveCallback } from "#logging/resolve-callback.ts";

/** Answers what the delivery thread asks: callbacks from the database and config.yaml, and the redaction that holds now. */
export function answerDelivery(db: Db, env: Record<string, string | undefined>): DeliveryAnswers {
  return {
    resolve: ({ callbackId }) => resolveCallback(db, callbackId, env),
    async redaction({ callbackId, keyHash, teamId }) {
      const key = keyHash === null ? null : await readStatement(db, { keyHash });
      const team = teamId === null ? null : await readStatement(db, { teamId });
      // Where the callback stands now does not matter here: the record was queued for it before.
      const stored = [...(key?.callbacks ?? []), ...(team?.callbacks ?? [])];
      const callback = stored.find((target) => target.callbackId === callbackId) ?? { redaction: null };
      return redactionFor(callback, { teamId, key, team }, configState.get());
    },
  };
}
