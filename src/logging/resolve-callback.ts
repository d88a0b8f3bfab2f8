import { configState, type Config } from "#lib/config.ts";
import type { Db } from "#lib/db.ts";
import { currentLogger } from "#lib/logger.ts";
import { keyringState, MissingKeyError } from "#lib/seal.ts";
import { stateCell } from "#lib/state.ts";
import { CallbackVars, type CallbackTarget } from "#logging/callback.ts";
import { isSecretVar, openVars } from "#logging/callback-vars.ts";
import type { Destination, Reach } from "#logging/destinations/destination.ts";
import { findDestination } from "#logging/destinations/index.ts";
import { envReference, isAllowedReference } from "#logging/env-reference.ts";
import { defaultTeamCallbacks, defaultTeamSettingsIndex, globalCallbacks } from "#logging/policy.ts";
import { isRequestCallbackId, markedVars, requestCallbackName } from "#logging/request-credentials.ts";
import { callbackColumns, scopeOf } from "#logging/stored-callback.ts";
import { teamVarsSettings } from "#logging/team-vars-settings.ts";

/** What a delivery needs to know of a callback. `gone`: it was deleted. `misconfigured`: it waits until it is changed. */
export type ResolvedCallback =
  | { state: "ready"; callbackName: string; vars: CallbackVars; reach: Reach }
  | { state: "misconfigured"; message: string }
  | { state: "gone" };

/** The environment that references and operator credentials are read from. */
export type Environment = Readonly<Record<string, string | undefined>>;

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
  if (isRequestCallbackId(callbackId)) return resolveRequested(callbackId, config, env);
  const row = await db.callback.findUnique({ where: { id: callbackId }, select: callbackColumns });
  if (!row) return { state: "gone" };
  const destination = findDestination(row.callbackName);
  const vars = CallbackVars.safeParse(row.callbackVars);
  if (!destination || destination.operatorOnly || !vars.success)
    return { state: "misconfigured", message: "The callback cannot be read." };
  try {
    const owner = { callbackId: row.id, callbackName: row.callbackName, scope: scopeOf(row) };
    const opened = openVars(keyringState.get(), owner, vars.data);
    return complete(row.callbackName, { vars: opened, destination, writtenBy: "team" }, env);
  } catch (error) {
    const keyId = error instanceof MissingKeyError ? error.keyId : "";
    currentLogger().error({ callbackId, keyId }, "the secrets of a callback cannot be opened, so its records wait");
    return { state: "misconfigured", message: "The stored secrets cannot be opened; they must be given again." };
  }
}

/** Resolves a callback that a team or a key is about to store: its variables are still in clear. */
export function resolveGiven(callbackName: string, vars: CallbackVars, env: Environment): ResolvedCallback {
  const destination = findDestination(callbackName);
  if (!destination || destination.operatorOnly)
    return { state: "misconfigured", message: "The callback cannot be read." };
  return complete(callbackName, { vars, destination, writtenBy: "team" }, env);
}

/** What a request brought stands in its records; the rest is completed as for a team. Gone: the operator ended it. */
function resolveRequested(callbackId: string, { general_settings: settings }: Config, env: Environment) {
  if (settings.must_log || !settings.allow_client_side_credentials) return { state: "gone" } as const;
  return resolveGiven(requestCallbackName, markedVars(callbackId), env);
}

function resolveConfigured(callbackId: string, config: Config, env: Environment): ResolvedCallback {
  const [, kind] = callbackId.split(":", 2);
  const callbackName = callbackId.slice(callbackId.lastIndexOf(":") + 1);
  const destination = findDestination(callbackName);
  if (!destination) return { state: "gone" };
  const isListed = (targets: readonly CallbackTarget[]): boolean =>
    targets.some((target) => target.callbackId === callbackId);
  const ownVars = operatorVarsState.find()?.[callbackName] ?? {};
  if (kind === "global") {
    if (!isListed(globalCallbacks(config))) return { state: "gone" };
    return complete(callbackName, { vars: ownVars, destination, writtenBy: "operator" }, env);
  }
  const teamId = callbackId.slice("config:team:".length, callbackId.lastIndexOf(":"));
  const index = defaultTeamSettingsIndex(teamId, config);
  const entry = config.litellm_settings.default_team_settings[index];
  if (!entry || !isListed(defaultTeamCallbacks(index, config))) return { state: "gone" };
  // Left out, it would be filled from the environment, and the team's records would land in the operator's project.
  const unset = Object.keys(entry.callback_vars).find((name) => entry.callback_vars[name] === null);
  if (unset !== undefined) {
    return {
      state: "misconfigured",
      message: `The environment variable that ${unset} of default_team_settings (team ${teamId}) refers to is not set.`,
    };
  }
  return complete(
    callbackName,
    { vars: { ...ownVars, ...entry.callback_vars }, destination, writtenBy: "operator" },
    env,
  );
}

/** What only `settingsOf` fills in. */
const operatorSettings: ReadonlySet<string> = new Set(["langfuse_default_tags", "langfuse_proxy_base_url"]);

/** Fills in what the entry leaves to the environment (R20): credentials come whole from one place or the other. */
function complete(callbackName: string, given: GivenVars, env: Environment): ResolvedCallback {
  if (given.writtenBy === "team") {
    const fault = given.destination.checkVars?.(given.vars, teamVarsSettings(configState.get()));
    if (fault) return { state: "misconfigured", message: fault.message };
  }
  const vars: CallbackVars = {};
  for (const [name, value] of Object.entries(given.vars)) {
    if (value === null || (typeof value === "string" && value.trim() === "") || operatorSettings.has(name)) continue;
    const reference = envReference(value);
    if (reference === null) vars[name] = value;
    else {
      if (!isAllowedReference(reference, configState.get())) {
        return { state: "misconfigured", message: `${name} may not refer to the environment variable ${reference}.` };
      }
      const resolved = Object.hasOwn(env, reference) ? env[reference] : undefined;
      if (resolved === undefined || resolved === "") {
        return { state: "misconfigured", message: `The environment variable ${reference} (${name}) is not set.` };
      }
      vars[name] = resolved;
    }
  }
  const targets = given.destination.targetVars ?? [];
  const choseTarget = targets.some((name) => vars[name] !== undefined);
  const names = Object.keys(given.destination.vars.shape);
  const choseCredentials = names.some(
    (name) => !targets.includes(name) && vars[name] !== undefined && isCredential(callbackName, name),
  );
  const mayUseOperatorCredentials = !choseCredentials && (given.writtenBy === "operator" || !choseTarget);
  for (const [variable, name] of Object.entries(given.destination.env ?? {})) {
    const value = env[variable];
    if (value === undefined || value === "" || vars[name] !== undefined) continue;
    // A target is whole from one place: half of the operator's would send a team's records to him.
    if (targets.includes(name) && choseTarget) continue;
    if (targets.includes(name) || !isCredential(callbackName, name) || mayUseOperatorCredentials) {
      vars[name] = value;
    }
  }
  Object.assign(vars, settingsOf(callbackName, env));
  const reach: Reach = given.writtenBy === "team" && choseTarget ? "guarded" : "operator";
  return { state: "ready", callbackName, vars, reach };
}

/** Settings of config.yaml that hold for every callback of a kind, whoever wrote it; nobody else can set them. */
function settingsOf(callbackName: string, env: Environment): CallbackVars {
  const tags = configState.get().litellm_settings.langfuse_default_tags;
  if (!callbackName.startsWith("langfuse") || tags.length === 0) return {};
  const proxyBaseUrl = env["PROXY_BASE_URL"] ?? "";
  return { langfuse_default_tags: tags, ...(proxyBaseUrl === "" ? {} : { langfuse_proxy_base_url: proxyBaseUrl }) };
}

/** A half of a pair, or any secret: destinations with a single key have no pair. */
function isCredential(callbackName: string, name: string): boolean {
  const pairs = findDestination(callbackName)?.credentialPairs ?? [];
  return pairs.some((pair) => pair.includes(name)) || isSecretVar(callbackName, name);
}
