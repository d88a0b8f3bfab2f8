import type { Database } from "#lib/db.ts";
import { addDuration } from "#lib/duration.ts";
import { AppError } from "#lib/errors.ts";
import { newVirtualKey } from "#lib/id.ts";
import type { Transaction } from "#lib/in-transaction.ts";
import { keyringState } from "#lib/seal.ts";
import { keyNameOf, takeToken, tokenOfNew, type GeneratedKey } from "#keys/generate-key.ts";
import { findKey, toToken, type StoredKey } from "#keys/key-row.ts";
import { type RegenerateKey } from "#keys/key.ts";
import { isProxyAdmin } from "#keys/rights.ts";
import { changeKey } from "#keys/update-key.ts";
import { maskedKey } from "#keys/verify-key.ts";
import type { Actor } from "#keys/actor.ts";
import { CallbackVars } from "#logging/callback.ts";
import { openVars, sealVars } from "#logging/callback-vars.ts";
import { scopeOf } from "#logging/stored-callback.ts";

/** The step from one hash to the next. */
type Rotation = { token: string; keyName: string; oldValidUntil: Date | null };

/**
 * Gives a key a new text; alias, spend, budget, callbacks and everything else stay, unless the input changes them too.
 * The old text may be used until the grace period ends; without one it ends at once, and with it all that still had
 * grace from before. For who may change the key and act as its user. Throws 404 for an unknown key and 400 for a malformed or taken new one.
 */
export async function regenerateKey(
  db: Database["db"],
  actor: Actor,
  { key: named, ...input }: RegenerateKey & { key: string },
): Promise<GeneratedKey> {
  const oldToken = toToken(named);
  if (isProxyAdmin(actor) && (await findKey(db, oldToken)) === null) throw unknownKey(named);
  const key = input.new_key ?? newVirtualKey();
  const rotation: Rotation = {
    token: tokenOfNew(key, "new_key"),
    keyName: keyNameOf(key),
    oldValidUntil: input.grace_period ? addDuration(new Date(), input.grace_period, "grace_period") : null,
  };
  const row = await changeKey(db, actor, {
    token: oldToken,
    input,
    route: "/key/regenerate",
    async finish(tx) {
      await rotate(tx, oldToken, rotation);
      return { action: "regenerate", token: rotation.token };
    },
  });
  return { key, ...row, token_id: row.token };
}

async function rotate(tx: Transaction, oldToken: string, { token, keyName, oldValidUntil }: Rotation): Promise<void> {
  await takeToken(tx, token, "new_key");
  const callbacks = (await findKey(tx, oldToken))?.callbacks ?? [];
  // Callbacks and former tokens follow the key by their foreign keys.
  await tx.key.update({ where: { token: oldToken }, data: { token, keyName }, select: { token: true } });
  if (oldValidUntil === null) {
    await tx.formerToken.updateMany({ where: { keyToken: token }, data: { validUntil: null } });
  }
  await tx.modelSpend.updateMany({ where: { scope: "key", ownerId: oldToken }, data: { ownerId: token } });
  const former = { token: oldToken, keyToken: token, validUntil: oldValidUntil };
  await tx.formerToken.create({ data: former, select: { token: true } });
  for (const callback of callbacks) {
    const callbackVars = sealedForToken(callback, token);
    if (callbackVars === null) continue;
    await tx.callback.update({ where: { id: callback.id }, data: { callbackVars }, select: { id: true } });
  }
}

/** The variables with secrets sealed for the key's new token; null where they could not be opened before either. */
function sealedForToken(callback: StoredKey["callbacks"][number], token: string): CallbackVars | null {
  const stored = CallbackVars.safeParse(callback.callbackVars);
  if (!stored.success) return null;
  const owner = { callbackId: callback.id, callbackName: callback.callbackName };
  const keyring = keyringState.get();
  try {
    const opened = openVars(keyring, { ...owner, scope: scopeOf(callback) }, stored.data);
    return sealVars(keyring, { ...owner, scope: scopeOf({ teamId: null, keyToken: token }) }, opened);
  } catch {
    return null;
  }
}

function unknownKey(named: string): AppError {
  const shown = toToken(named) === named ? named : maskedKey(named);
  return new AppError("not_found", `Key ${shown} not found.`, { param: "key" });
}
