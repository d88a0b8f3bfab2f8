import type { StoredCallback } from "#logging/stored-callback.ts";
import { showVars } from "#logging/show-logging.ts";
import type { CallbackVars } from "#logging/callback.ts";

/** One callback of a team with its id, as people who edit it see it. Secrets are masked. */
export type TeamCallback = {
  callback_id: string;
  /** Grows with every change; a write that names an older one is refused. */
  version: number;
  callback_name: string;
  callback_type: string | null;
  callback_vars: CallbackVars;
};

/** A stored callback as it is shown. */
export function toTeamCallback(row: StoredCallback): TeamCallback {
  return {
    callback_id: row.id,
    version: row.version,
    callback_name: row.callbackName,
    callback_type: row.callbackType,
    callback_vars: showVars(row),
  };
}
