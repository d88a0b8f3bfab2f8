import { configState, type Config } from "#lib/config.ts";
import type { Db } from "#lib/db.ts";
import { keyringState } from "#lib/seal.ts";
import { stateCell } from "#lib/state.ts";
import { CallbackVars } from "#logging/callback.ts";
import { openVars } from "#logging/callback-vars.ts";
import type { Destination, Reach } from "#logging/destinations/destination.ts";
import { findDestination } from "#logging/destinations/index.ts";
import { envReference, isAllowedReference } from "#logging/env-reference.ts";
import { callbackColumns, scopeOf } from "#logging/stored-callback.ts";

/** What a delivery needs to know of a callback. `gone`: it was deleted. `misconfigured`: it waits until it is changed. */
export type ResolvedCallback =
  | { state: "ready"; callbackName: string; vars: CallbackVars; reach: Reach }
  | { state: "misconfigured"; message: string }
  | { state: "gone" };

/** The environment that references and operator credentials are read from. */
type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that the process itself gives to callbacks of config.yaml, by callback name: where local files lie. */
export const operatorVarsState = stateCell<Readonly<Record<string, CallbackVars>>>("operator-vars");

/** Variables as given, who gave them, and the destination that they are for. */
type GivenVars = { vars: CallbackVars; destination: Destination; writtenBy: "operator" | "team" };

/**
 * Resolves a callback id to the newest version of that callback: its variables in clear, environment references and
 * the operator's credentials filled in. Operator credentials never join a host that a team or a key chose.
 */
export async function resolveCallback(db: Db, callbackId: string, env: Environment): Promise<ResolvedCallback> {
  const config = configState.get();
  if (callbackId.startsWith("config:")) return resolveConfigured(callbackId, config, env);
  const row = await db.callback.findUnique({ where: { id: callbackId }, select: callbackColumns });
  if (!row) return { state: "gone" };
  const destination = findDestination(row.callbackName);
  const vars = CallbackVars.safeParse(row.callbackVars);
  if (!destination || !vars.success) return { state: "misconfigured", message: "The callback cannot be read." };
  try {
    const owner = { callbackId: row.id, callbackName: row.callbackName, scope: scopeOf(row) };
    const opened = openVars(keyringState.get(), owner, vars.data);
    return complete(row.callbackName, { vars: opened, destination, writtenBy: "team" }, env);
  } catch {
    return { state: "misconfigured", message: "The stored secrets cannot be opened; they must be given again." };
  }
}

function resolveConfigured(callbackId: string, config: Config, env: Environment): ResolvedCallback {
  const [, kind] = callbackId.split(":", 2);
  const callbackName = callbackId.slice(callbackId.lastIndexOf(":") + 1);
  const destination = findDestination(callbackName);
  if (!destination) return { state: "gone" };
  const ownVars = operatorVarsState.find()?.[callbackName] ?? {};
  if (kind === "global") return complete(callbackName, { vars: ownVars, destination, writtenBy: "operator" }, env);
  const teamId = callbackId.slice("config:team:".length, callbackId.lastIndexOf(":"));
  const entry = config.litellm_settings.default_team_settings.find((settings) => settings.team_id === teamId);
  if (!entry) return { state: "gone" };
  return complete(callbackName, { vars: { ...ownVars, ...entry.callback_vars }, destination, writtenBy: "operator" }, env);
}

/** Fills in what the entry leaves to the environment (R20): credentials come whole from one place or the other. */
function complete(callbackName: string, given: GivenVars, env: Environment): ResolvedCallback {
  const vars: CallbackVars = {};
  for (const [name, value] of Object.entries(given.vars)) {
    if (value === null || value === "") continue;
    const reference = envReference(value);
    if (reference === null) vars[name] = value;
    else {
      const resolved = isAllowedReference(reference, configState.get()) ? env[reference] : undefined;
      if (resolved === undefined || resolved === "") {
        return { state: "misconfigured", message: `The environment variable ${reference} (${name}) is not set.` };
      }
      vars[name] = resolved;
    }
  }
  const targets = given.destination.targetVars ?? [];
  const choseTarget = targets.some((name) => vars[name] !== undefined);
  const names = Object.keys(given.destination.vars.shape);
  const choseCredentials = names.some((name) => !targets.includes(name) && isCredential(given.destination, name, vars));
  const mayUseOperatorCredentials = !choseCredentials && (given.writtenBy === "operator" || !choseTarget);
  for (const [variable, name] of Object.entries(given.destination.env ?? {})) {
    const value = env[variable];
    if (value === undefined || value === "" || vars[name] !== undefined) continue;
    if (targets.includes(name) || !isCredentialName(given.destination, name) || mayUseOperatorCredentials) {
      vars[name] = value;
    }
  }
  const reach: Reach = given.writtenBy === "team" && choseTarget ? "guarded" : "operator";
  return { state: "ready", callbackName, vars, reach };
}

function isCredential(destination: Destination, name: string, vars: CallbackVars): boolean {
  return vars[name] !== undefined && isCredentialName(destination, name);
}

function isCredentialName(destination: Destination, name: string): boolean {
  return (destination.credentialPairs ?? []).some((pair) => pair.some((part) => part.split("|").includes(name)));
}
