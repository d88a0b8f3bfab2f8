import { timingSafeEqual } from "node:crypto";
import { sha256Hex } from "#lib/id.ts";
import { stateCell } from "#lib/state.ts";

/** The master keys as the process keeps them: only their hashes, which is all that a comparison needs. */
export type MasterKeys = { sha256: readonly string[] };

const masterKeysState = stateCell<MasterKeys>("master-keys");

/** While master keys are rotated, the former one is valid beside the new one. */
export const masterKeysMax = 2;

/**
 * The master keys that a setting lists, the new one first: separated by commas, if each of them starts with `sk-`.
 * Another text with commas is one key, as it always was.
 */
export function splitMasterKeys(text: string): string[] {
  const keys = text.split(",").map((key) => key.trim());
  return keys.every((key) => key.startsWith("sk-")) ? keys : [text];
}

/** Sets the master keys of this process. */
export function setMasterKeys(masterKeys: readonly string[]): void {
  masterKeysState.set({ sha256: masterKeys.map(sha256Hex) });
}

/** Whether a key with this SHA-256, in hexadecimal digits, is a master key. */
export function isMasterKeyHash(keyHash: string): boolean {
  const given = Buffer.from(keyHash);
  return masterKeysState
    .get()
    .sha256.map((known) => timingSafeEqual(given, Buffer.from(known)))
    .includes(true);
}
