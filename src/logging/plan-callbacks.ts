import { newRecordId } from "#lib/id.ts";
import { keyringState, isSealedText } from "#lib/seal.ts";
import { CallbackVars, secretMask } from "#logging/callback.ts";
import { isSecretVar, openVars, targetOf } from "#logging/callback-vars.ts";
import { findDestination } from "#logging/destinations/index.ts";
import type { CallbackEntry } from "#logging/read-logging.ts";
import { isShownSecret } from "#logging/secret-hint.ts";
import { showVars } from "#logging/show-logging.ts";
import { scopeOf, type StoredCallback } from "#logging/stored-callback.ts";

/** A callback as it is to be stored. `callbackVars` are in clear. */
export type PlannedCallback = CallbackEntry & {
  id: string;
  version: number;
  position: number;
  change: "added" | "changed" | "kept" | "moved";
};

/** What a write makes of the callbacks that are stored. */
export type CallbackPlan = {
  planned: readonly PlannedCallback[];
  removedIds: readonly string[];
  /** Variables whose mask came back although nothing is stored that it could stand for; they are left out. */
  lostMasks: readonly string[];
};

/**
 * Works out how the given entries replace the stored ones. An entry of the same name and type, in order, else of the
 * same name, goes on with its id. A mask in a variable keeps the stored value, unless the entry's target changed.
 */
export function planCallbacks(stored: readonly StoredCallback[], entries: readonly CallbackEntry[]): CallbackPlan {
  const partners = findPartners(stored, entries);
  const lostMasks: string[] = [];
  const planned = entries.map((entry, position): PlannedCallback => {
    const row = partners[position];
    const known = row ? openStored(row) : {};
    const { vars, lost } = fillMasks(entry, known);
    lostMasks.push(...lost.map((name) => `metadata.logging[${String(position)}].callback_vars.${name}`));
    const next = { ...entry, callbackVars: vars, position };
    if (!row) return { ...next, id: newRecordId(), version: 1, change: "added" };
    const isSame = row.callbackType === entry.callbackType && canonical(known) === canonical(vars);
    if (!isSame) return { ...next, id: row.id, version: row.version + 1, change: "changed" };
    return { ...next, id: row.id, version: row.version, change: row.position === position ? "kept" : "moved" };
  });
  const keptIds = new Set(planned.map((callback) => callback.id));
  return { planned, lostMasks, removedIds: stored.map((row) => row.id).filter((id) => !keptIds.has(id)) };
}

/** Tells one state of the stored callbacks from another, so that a plan is only carried out on what it was made for. */
export function fingerprint(stored: readonly StoredCallback[]): string {
  return JSON.stringify(stored.map((row) => [row.id, row.version, row.position]));
}

function findPartners(
  stored: readonly StoredCallback[],
  entries: readonly CallbackEntry[],
): (StoredCallback | undefined)[] {
  const free = new Set(stored);
  const take = (
    entry: CallbackEntry,
    isLike: (row: StoredCallback, entry: CallbackEntry) => boolean,
  ): StoredCallback | undefined => {
    const found = [...free].find((row) => row.callbackName === entry.callbackName && isLike(row, entry));
    if (found) free.delete(found);
    return found;
  };
  const named = entries.map((entry) => take(entry, showsSecretsOf));
  const exact = entries.map((entry, index) => named[index] ?? take(entry, isOfSameType));
  return entries.map((entry, index) => exact[index] ?? take(entry, () => true));
}

function isOfSameType(row: StoredCallback, entry: CallbackEntry): boolean {
  return eventOf(row.callbackType) === eventOf(entry.callbackType);
}

/** Whether an entry repeats what this row shows of its secrets, so that the order of the entries does not matter. */
function showsSecretsOf(row: StoredCallback, entry: CallbackEntry): boolean {
  const hints = Object.entries(entry.callbackVars).filter(([, value]) => isShownSecret(value) && value !== secretMask);
  if (hints.length === 0) return false;
  const shown = showVars(row);
  return hints.every(([name, value]) => shown[name] === value);
}

/** What a callback fires on: an absent type means both. */
export function eventOf(callbackType: string | null): string {
  return callbackType ?? "success_and_failure";
}

/** The stored variables in clear; secrets that can no longer be opened are missing. */
function openStored(row: StoredCallback): CallbackVars {
  const vars = CallbackVars.safeParse(row.callbackVars);
  if (!vars.success) return {};
  try {
    const owner = { callbackId: row.id, callbackName: row.callbackName, scope: scopeOf(row) };
    return openVars(keyringState.get(), owner, vars.data);
  } catch {
    return Object.fromEntries(
      Object.entries(vars.data).filter(([, value]) => typeof value !== "string" || !isSealedText(value)),
    );
  }
}

function fillMasks(entry: CallbackEntry, known: CallbackVars): { vars: CallbackVars; lost: string[] } {
  const targets = findDestination(entry.callbackName)?.targetVars ?? [];
  const named = Object.fromEntries(
    targets.map((name) => [name, isShownSecret(entry.callbackVars[name]) ? known[name] : entry.callbackVars[name]]),
  );
  const isSameTarget =
    targetOf(entry.callbackName, CallbackVars.parse(withoutAbsent(named))) === targetOf(entry.callbackName, known);
  const lost: string[] = [];
  const vars: CallbackVars = {};
  for (const [name, value] of Object.entries(entry.callbackVars)) {
    // An empty secret is none; sealed, it would look like one.
    if (value === "" && isSecretVar(entry.callbackName, name)) continue;
    if (!isShownSecret(value)) vars[name] = value;
    else if (known[name] !== undefined && (isSameTarget || targets.includes(name))) vars[name] = known[name];
    else lost.push(name);
  }
  return { vars, lost };
}

function withoutAbsent(vars: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(vars).filter(([, value]) => value !== undefined));
}

function canonical(vars: CallbackVars): string {
  return JSON.stringify(Object.entries(vars).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}
