import type { Db } from "#lib/db.ts";
import type { Actor } from "#keys/actor.ts";
import { getKeyLogging } from "#keys/get-key-logging.ts";
import { isProxyAdmin } from "#keys/rights.ts";
import { checkDestination, type DestinationCheck } from "#logging/check-destination.ts";
import type { EffectiveLogging } from "#logging/effective-logging.ts";
import { openCallback } from "#logging/open-callback.ts";
import type { Environment } from "#logging/resolve-callback.ts";

/** Where a key's calls are logged, and what each of these destinations says now. */
export type KeyDestinations = Pick<EffectiveLogging, "decided_by" | "reason"> & { destinations: DestinationCheck[] };

/**
 * Asks every destination that the calls of a key go to, whichever level decided that, all at once. Nothing is logged or
 * counted by it. Throws as `getKeyLogging`.
 */
export async function checkKeyDestinations(
  db: Db,
  actor: Actor,
  { key, env }: { key: string; env: Environment },
): Promise<KeyDestinations> {
  const { decided_by, reason, callbacks } = await getKeyLogging(db, actor, { key, env });
  const viewer = { isAdmin: isProxyAdmin(actor), env };
  const destinations = await Promise.all(
    callbacks.map(async ({ callback_id: callbackId, callback_name: callbackName }) =>
      checkDestination(await openCallback(db, { callbackId, callbackName }, viewer)),
    ),
  );
  return { decided_by, reason, destinations };
}
