import { sha256Hex } from "#lib/id.ts";
import { stateCell } from "#lib/state.ts";

/** The master key as the process keeps it: only its hash, which is all that a comparison needs. */
export type MasterKey = { sha256: string };

export const masterKeyState = stateCell<MasterKey>("master-key");

/** Sets the master key of this process. */
export function setMasterKey(masterKey: string): void {
  masterKeyState.set({ sha256: sha256Hex(masterKey) });
}
