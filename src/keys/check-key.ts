import { z } from "zod";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "#keys/actor.ts";
import { checkDestination, DestinationCheck } from "#logging/check-destination.ts";
import { findDestination } from "#logging/destinations/index.ts";
import { openCallback, type Viewer } from "#logging/open-callback.ts";
import type { Environment } from "#logging/resolve-callback.ts";
import { callbackColumns, toCallbackTarget, type StoredCallback } from "#logging/stored-callback.ts";

/** What `POST /key/health` answers; `destinations` is ours. `logging_callbacks` is null for a key without own logging. */
export const KeyHealth = z.object({
  key: z.enum(["healthy", "unhealthy"]),
  logging_callbacks: z
    .object({
      callbacks: z.array(z.string()),
      status: z.enum(["healthy", "unhealthy"]),
      details: z.string(),
      destinations: z.array(DestinationCheck),
    })
    .nullable(),
});
export type KeyHealth = z.output<typeof KeyHealth>;

/**
 * Asks the destination of each of the calling key's own callbacks, all at once. Nothing is logged or counted by it.
 * Throws 500 in LiteLLM's words for a stored entry without a name.
 */
export async function checkKey(db: Db, caller: Pick<Actor, "keyHash" | "role">, env: Environment): Promise<KeyHealth> {
  const rows = caller.keyHash === null ? [] : await readCallbacks(db, caller.keyHash);
  if (rows.length === 0) return { key: "healthy", logging_callbacks: null };
  if (rows.some((row) => row.callbackName === "")) {
    throw new AppError("internal", "Key health check failed: callback_name is required in key_logging");
  }
  const viewer: Viewer = { isAdmin: caller.role === "proxy_admin", env };
  const destinations = await Promise.all(rows.map((row) => checkRow(db, row, viewer)));
  const callbacks = rows.map((row) => row.callbackName);
  const faults = destinations.filter(({ state }) => state === "unhealthy").map(({ message }) => message);
  const status = faults.length === 0 ? "healthy" : "unhealthy";
  const details =
    faults.length === 0
      ? `No logger exceptions triggered, system is healthy. Manually check if logs were sent to ${toPythonList(callbacks)}`
      : `Logger exceptions triggered, system is unhealthy: ${faults.join("\n")}`;
  return { key: status, logging_callbacks: { callbacks, status, details, destinations } };
}

async function readCallbacks(db: Db, keyHash: string): Promise<StoredCallback[]> {
  const key = await db.key.findUnique({
    where: { token: keyHash },
    select: { loggingState: true, callbacks: { select: callbackColumns, orderBy: { position: "asc" } } },
  });
  return key?.loggingState === "own" ? key.callbacks : [];
}

async function checkRow(db: Db, row: StoredCallback, viewer: Viewer): Promise<DestinationCheck> {
  const { id: callbackId, callbackName } = row;
  if (toCallbackTarget(row) === null) {
    const what = findDestination(callbackName) ? "its callback_type or variables do not fit" : "the name is not known";
    const message = `The entry ${callbackName} is skipped: ${what}.`;
    return {
      callback_name: callbackName,
      callback_id: callbackId,
      state: "unhealthy",
      message,
      target: null,
      latency_ms: 0,
    };
  }
  return checkDestination(await openCallback(db, { callbackId, callbackName }, viewer));
}

/** A list of texts as Python prints it. */
function toPythonList(texts: readonly string[]): string {
  return `[${texts.map((text) => `'${text.replace(/[\\']/g, "\\$&")}'`).join(", ")}]`;
}
