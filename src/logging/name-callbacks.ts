import type { Db } from "#lib/db.ts";
import { isRequestCallbackId, requestCallbackName } from "#logging/request-credentials.ts";

/** The names of callbacks by id, those of config.yaml and of requests included; a deleted callback is missing. */
export async function nameCallbacks(db: Db, callbackIds: readonly string[]): Promise<Map<string, string>> {
  const ids = [...new Set(callbackIds)];
  const names = new Map<string, string>();
  for (const id of ids) if (id.startsWith("config:")) names.set(id, id.slice(id.lastIndexOf(":") + 1));
  for (const id of ids) if (isRequestCallbackId(id)) names.set(id, requestCallbackName);
  const stored = ids.filter((id) => !names.has(id));
  if (stored.length === 0) return names;
  const rows = await db.callback.findMany({ where: { id: { in: stored } }, select: { id: true, callbackName: true } });
  for (const { id, callbackName } of rows) names.set(id, callbackName);
  return names;
}
