import { stateCell } from "#lib/state.ts";
import type { LangfuseTarget } from "#logging/destinations/langfuse-target.ts";

/** Until when each server is taken for an old one, the oldest entry first. */
const oldWires = stateCell<Map<string, number>>("langfuse-old-wires");

/** An upgraded server is noticed after this time at the latest. */
const rememberedMs = 60 * 60_000;
const entriesMax = 1_000;

/** True where the server at this host took the old batch for this project within the last hour and not OpenTelemetry. */
export function isOnOldWire(target: LangfuseTarget, nowMs: number): boolean {
  return (find().get(keyOf(target)) ?? 0) > nowMs;
}

/** Keeps in mind, for an hour, that this server has no OpenTelemetry path. */
export function rememberOldWire(target: LangfuseTarget, nowMs: number): void {
  const entries = find();
  entries.delete(keyOf(target));
  entries.set(keyOf(target), nowMs + rememberedMs);
  for (const key of entries.keys()) {
    if (entries.size <= entriesMax) break;
    entries.delete(key);
  }
}

/** The server is asked again with the next records. */
export function forgetOldWire(target: LangfuseTarget): void {
  find().delete(keyOf(target));
}

/** Projects of one host are kept apart, because a proxy may lead their keys to different servers. */
function keyOf({ url, publicKey }: LangfuseTarget): string {
  return `${url} ${publicKey}`;
}

function find(): Map<string, number> {
  const known = oldWires.find();
  if (known) return known;
  const entries = new Map<string, number>();
  oldWires.set(entries);
  return entries;
}
