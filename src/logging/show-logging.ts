import { keyringState } from "#lib/seal.ts";
import { CallbackVars } from "#logging/callback.ts";
import { hintVars, maskVars } from "#logging/callback-vars.ts";
import { Metadata } from "#logging/read-logging.ts";
import { scopeOf, type StoredCallback } from "#logging/stored-callback.ts";

/** What of a key or team row makes up the wire's `metadata`. */
export type LoggingRow = {
  metadata: unknown;
  loggingState: "unset" | "own" | "disabled";
  callbacks: readonly StoredCallback[];
};

/**
 * The wire's `metadata`: what was stored, with `logging` rebuilt of the callbacks, secrets as `showVars` has them.
 * `[]` means that logging is disabled; where nothing was ever said, `logging` is absent.
 */
export function showMetadata(row: LoggingRow): Metadata {
  const metadata = Metadata.catch({}).parse(row.metadata);
  if (row.loggingState === "unset") return metadata;
  return { ...metadata, logging: row.loggingState === "disabled" ? [] : row.callbacks.map(showCallback) };
}

/** The variables of a stored callback with the last four characters and a fingerprint of its secrets. */
export function showVars(row: StoredCallback): CallbackVars {
  const owner = { callbackId: row.id, callbackName: row.callbackName, scope: scopeOf(row) };
  return hintVars(keyringState.get(), owner, CallbackVars.catch({}).parse(row.callbackVars));
}

/** The variables of a stored callback with its secrets as the mask that LiteLLM's callback routes show. */
export function showMaskedVars(row: StoredCallback): CallbackVars {
  return maskVars(row.callbackName, CallbackVars.catch({}).parse(row.callbackVars));
}

function showCallback(row: StoredCallback): Metadata {
  return {
    ...(row.callbackName === "" ? {} : { callback_name: row.callbackName }),
    ...(row.callbackType === null ? {} : { callback_type: row.callbackType }),
    callback_vars: showVars(row),
  };
}
