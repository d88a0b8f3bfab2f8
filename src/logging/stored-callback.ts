import type { Prisma } from "#lib/prisma/client.ts";
import { CallbackType, CallbackVars, type CallbackTarget } from "#logging/callback.ts";
import { findDestination } from "#logging/destinations/index.ts";
import { readGeneralVars } from "#logging/general-vars.ts";

/** The columns of a callback. The variables hold sealed secrets, which open only with the keyring. */
export const callbackColumns = {
  id: true,
  version: true,
  teamId: true,
  keyToken: true,
  position: true,
  callbackName: true,
  callbackType: true,
  callbackVars: true,
} as const satisfies Prisma.CallbackSelect;

/** A callback as it is stored. */
export type StoredCallback = Prisma.CallbackGetPayload<{ select: typeof callbackColumns }>;

/** The target that a stored callback stands for; null where it is malformed or names no destination we have. */
export function toCallbackTarget(row: StoredCallback): CallbackTarget | null {
  if (!findDestination(row.callbackName)) return null;
  const firesOn = CallbackType.nullable().safeParse(row.callbackType);
  const vars = CallbackVars.safeParse(row.callbackVars);
  if (!firesOn.success || !vars.success) return null;
  return {
    callbackId: row.id,
    callbackName: row.callbackName,
    firesOn: firesOn.data ?? "success_and_failure",
    ...readGeneralVars(vars.data, row.id),
  };
}

/** The scope under whose keys a callback's secrets are sealed: its team's, or its key's. */
export function scopeOf(row: Pick<StoredCallback, "teamId" | "keyToken">): string {
  return row.teamId === null ? `key:${row.keyToken ?? ""}` : `team:${row.teamId}`;
}
