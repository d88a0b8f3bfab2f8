import type { Transaction } from "#lib/in-transaction.ts";
import { keyringState } from "#lib/seal.ts";
import { sealVars } from "#logging/callback-vars.ts";
import { deliveryState } from "#logging/delivery.ts";
import type { CallbackPlan, PlannedCallback } from "#logging/plan-callbacks.ts";
import type { CallbackVars } from "#logging/callback.ts";
import { scopeOf } from "#logging/stored-callback.ts";

/** Whose callbacks they are. */
export type CallbackOwner = { teamId: string; keyToken: null } | { teamId: null; keyToken: string };

/** Carries out a plan in the owner's transaction. Secrets are sealed for their callback, field and target. */
export async function writeCallbacks(tx: Transaction, owner: CallbackOwner, plan: CallbackPlan): Promise<void> {
  if (plan.removedIds.length > 0) await tx.callback.deleteMany({ where: { id: { in: [...plan.removedIds] } } });
  for (const callback of plan.planned) await writeCallback(tx, owner, callback);
}

/** Writes one callback in the owner's transaction. */
export async function writeCallback(tx: Transaction, owner: CallbackOwner, callback: PlannedCallback): Promise<void> {
  const { id, position, version, callbackName, callbackType } = callback;
  const select = { id: true } as const;
  switch (callback.change) {
    case "kept":
      return;
    case "moved":
      await tx.callback.update({ where: { id }, data: { position }, select });
      return;
    case "changed": {
      const data = { position, version, callbackType, callbackVars: seal(owner, callback) };
      await tx.callback.update({ where: { id }, data, select });
      return;
    }
    case "added": {
      const data = { id, ...owner, position, version, callbackName, callbackType, callbackVars: seal(owner, callback) };
      await tx.callback.create({ data, select });
    }
  }
}

/** After the commit: what waits for a removed callback is suppressed, and the next delivery reads the others anew. */
export async function announceCallbacks(removedIds: readonly string[]): Promise<void> {
  const delivery = deliveryState.get();
  delivery.forgetCallbacks();
  for (const id of removedIds) await delivery.suppressCallback(id);
}

function seal(owner: CallbackOwner, { id, callbackName, callbackVars }: PlannedCallback): CallbackVars {
  return sealVars(keyringState.get(), { callbackId: id, callbackName, scope: scopeOf(owner) }, callbackVars);
}
