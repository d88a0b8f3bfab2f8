import type { Db } from "#lib/db.ts";
import { CallbackVars } from "#logging/callback.ts";
import { isSecretVar } from "#logging/callback-vars.ts";
import { findDestination } from "#logging/destinations/index.ts";
import { envReference } from "#logging/env-reference.ts";
import { resolveCallback, resolveGiven, type Environment, type ResolvedCallback } from "#logging/resolve-callback.ts";

/** On whose behalf a callback is opened: an administrator may see what the operator set, everybody else may not. */
export type Viewer = { isAdmin: boolean; env: Environment };

/** A callback ready for use, and the variables of which the viewer may see the value. */
export type OpenedCallback = {
  callbackId: string;
  callbackName: string;
  resolved: ResolvedCallback;
  /** As stored: references are not resolved. Empty for callbacks of config.yaml. */
  given: CallbackVars;
  shownVars: ReadonlySet<string>;
};

/** Opens a stored callback, or one of config.yaml, by its id. */
export async function openCallback(
  db: Db,
  { callbackId, callbackName }: { callbackId: string; callbackName: string },
  viewer: Viewer,
): Promise<OpenedCallback> {
  const resolved = await resolveCallback(db, callbackId, viewer.env);
  const row = callbackId.startsWith("config:")
    ? null
    : await db.callback.findUnique({ where: { id: callbackId }, select: { callbackVars: true } });
  const given = CallbackVars.catch({}).parse(row?.callbackVars ?? {});
  return toOpened({ callbackId, callbackName, resolved, given }, viewer);
}

/** Opens a callback that is not stored yet; its variables are in clear. */
export function openGiven(
  callback: { id: string; callbackName: string; callbackVars: CallbackVars },
  viewer: Viewer,
): OpenedCallback {
  const { id: callbackId, callbackName, callbackVars: given } = callback;
  return toOpened({ callbackId, callbackName, resolved: resolveGiven(callbackName, given, viewer.env), given }, viewer);
}

function toOpened(opened: Omit<OpenedCallback, "shownVars">, viewer: Viewer): OpenedCallback {
  const { resolved, given, callbackName } = opened;
  const names = resolved.state === "ready" ? Object.keys(resolved.vars) : [];
  const isShown = (name: string): boolean => {
    if (isSecretVar(callbackName, name) || envReference(given[name]) !== null) return false;
    return viewer.isAdmin || (given[name] !== undefined && given[name] !== null && given[name] !== "");
  };
  return { ...opened, shownVars: new Set(names.filter(isShown)) };
}

/**
 * Where a callback's records go, by the variables that choose it: addresses without path and query, references by
 * name, and nothing of what the operator set. Null where the destination's own default holds.
 */
export function showTarget({
  callbackName,
  resolved,
  given,
  shownVars,
}: OpenedCallback): Record<string, string> | null {
  if (resolved.state !== "ready") return null;
  const target: Record<string, string> = {};
  for (const name of findDestination(callbackName)?.targetVars ?? []) {
    const value = resolved.vars[name];
    if (value === undefined || value === null) continue;
    const reference = envReference(given[name]);
    if (shownVars.has(name)) target[name] = withoutPath(String(value));
    else if (reference !== null) target[name] = `os.environ/${reference}`;
    else target[name] = "(set by the operator)";
  }
  return Object.keys(target).length === 0 ? null : target;
}

/** A text about a callback without what its viewer may not see: secrets, and addresses that the operator set. */
export function hideValues(text: string, { resolved, given, shownVars }: OpenedCallback): string {
  if (resolved.state !== "ready") return text;
  let shown = text;
  for (const [name, value] of Object.entries(resolved.vars)) {
    if (shownVars.has(name)) continue;
    const reference = envReference(given[name]);
    const cover = reference === null ? "***" : `os.environ/${reference}`;
    for (const hidden of spellings(value)) shown = shown.replaceAll(hidden, cover);
  }
  return shown;
}

/** A value, and where it is an address, the parts of it that messages name; the longest first. */
function spellings(value: CallbackVars[string]): string[] {
  const texts = (Array.isArray(value) ? value : [value]).filter((item) => typeof item === "string");
  const all = texts.flatMap((text) => {
    const url = URL.parse(text.includes("://") ? text : `https://${text}`);
    const parts = url === null || /[\s{]/.test(text) ? [] : [url.origin, url.host, url.hostname];
    return [text, text.trim(), ...parts, encodeURIComponent(text), JSON.stringify(text).slice(1, -1)];
  });
  return [...new Set(all)].filter((text) => text.length >= 4).toSorted((left, right) => right.length - left.length);
}

function withoutPath(text: string): string {
  const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null;
  return url === null ? text.replace(/[?#].*$/s, "") : url.origin;
}
