import { z } from "zod";
import { checkGuardedUrl } from "#lib/address-guard.ts";
import type { Config } from "#lib/config.ts";
import { AppError } from "#lib/errors.ts";
import { envReference, isAllowedReference } from "#logging/env-reference.ts";
import { generalVars, type Callback, type CallbackVars } from "#logging/callback.ts";
import type { Destination } from "#logging/destinations/destination.ts";
import { findDestination, knownCallbackNames } from "#logging/destinations/index.ts";
import { findGeneralVarFault } from "#logging/general-vars.ts";
import { teamVarsSettings } from "#logging/team-vars-settings.ts";

const general: readonly string[] = generalVars;

/**
 * Checks a callback that a team or a key wants to store. Throws 400 for an unknown name, half a credential pair, a
 * reference that may not be used or a host behind the address guard, and 422 for a variable that the callback does not
 * take or whose value does not fit. `general_settings.lenient_callbacks` lets all but the guard and
 * the references pass, as LiteLLM does; a destination of the operator alone is never open to others.
 */
export async function checkCallback(callback: Callback, config: Config): Promise<void> {
  const destination = findDestination(callback.callback_name);
  checkReferences(callback, config);
  if (destination?.operatorOnly) throw unknownName(callback.callback_name);
  if (!config.general_settings.lenient_callbacks) {
    if (!destination) throw unknownName(callback.callback_name);
    checkVars(callback, destination);
    checkPairs(callback, destination);
    checkTeamVars(callback, destination, config);
  }
  if (destination) await checkTargets(callback, destination);
}

/** Who wants to store a callback, as far as it matters here. */
export type CallbackWriter = { role: string };

/**
 * Throws 400 where somebody else than a proxy administrator names something of the operator's: an environment variable
 * (`os.environ/…`), whether it may be referred to or not, or a file of the server.
 */
export function assertMayRefer({ callback_vars: vars }: Callback, { role }: CallbackWriter): void {
  if (role === "proxy_admin") return;
  for (const [name, value] of Object.entries(vars)) {
    const isPath = name === "gcs_path_service_account" && !isBlank(value);
    if (!isPath && !namesEnvironment(value)) continue;
    const reason = isPath
      ? "names a file of the server, which only a proxy administrator may; give gcs_service_account_json instead"
      : "refers to an environment variable, which only a proxy administrator may";
    throw new AppError("bad_request", `${name} ${reason}.`, { param: `callback_vars.${name}` });
  }
}

/** In a list too, and however it is spaced or spelt. */
function namesEnvironment(value: CallbackVars[string] | undefined): boolean {
  if (Array.isArray(value)) return value.some((item) => namesEnvironment(item));
  return typeof value === "string" && value.trim().toLowerCase().startsWith("os.environ/");
}

function unknownName(name: string): AppError {
  const known = knownCallbackNames.filter((candidate) => !findDestination(candidate)?.operatorOnly);
  return new AppError("bad_request", `Unknown callback_name = ${name}. Known callbacks: ${known.join(", ")}.`, {
    param: "callback_name",
  });
}

function checkVars(callback: Callback, destination: Destination): void {
  const names = Object.keys(destination.vars.shape);
  for (const [name, value] of Object.entries(callback.callback_vars)) {
    if (general.includes(name)) {
      const reason = isBlank(value) ? null : findGeneralVarFault(name, value);
      if (reason !== null) throw invalidVar(name, `Value error, Invalid value of callback variable ${name}: ${reason}`);
      continue;
    }
    if (!names.includes(name)) {
      throw invalidVar(
        name,
        `Value error, Invalid callback variable: ${name}. Must be one of {${[...names, ...general].join(", ")}}`,
      );
    }
    const field: unknown = destination.vars.shape[name];
    if (isBlank(value) || envReference(value) !== null || !(field instanceof z.ZodType)) continue;
    const parsed = field.safeParse(value);
    if (!parsed.success) {
      const reason = parsed.error.issues[0]?.message ?? "invalid value";
      throw invalidVar(name, `Value error, Invalid value of callback variable ${name}: ${reason}`);
    }
  }
}

function invalidVar(name: string, msg: string): AppError {
  return new AppError("unprocessable", msg, {
    param: `callback_vars.${name}`,
    detail: [{ type: "value_error", loc: ["body", "callback_vars", name], msg, input: null }],
  });
}

function checkPairs(callback: Callback, destination: Destination): void {
  const isGiven = (name: string): boolean => !isBlank(callback.callback_vars[name]);
  const pairs = destination.credentialPairs ?? [];
  for (const [left, right] of pairs) {
    const givenRight = pairs.find(([first, second]) => first === left && isGiven(second))?.[1];
    if (isGiven(left) === (givenRight !== undefined)) continue;
    const [given, missing] = givenRight === undefined ? [left, right] : [givenRight, left];
    throw new AppError("bad_request", `${missing} is missing: ${given} is only half of the credentials.`, {
      param: `callback_vars.${missing}`,
    });
  }
}

function checkTeamVars(callback: Callback, destination: Destination, config: Config): void {
  const fault = destination.checkVars?.(callback.callback_vars, teamVarsSettings(config));
  if (fault) throw new AppError("bad_request", fault.message, { param: `callback_vars.${fault.name}` });
}

/** Empty texts occur in users' files and mean that nothing is given. */
function isBlank(value: CallbackVars[string] | undefined): boolean {
  return value === undefined || value === null || (typeof value === "string" && value.trim() === "");
}

function checkReferences(callback: Callback, config: Config): void {
  for (const [name, value] of Object.entries(callback.callback_vars)) {
    const reference = envReference(value);
    if (reference === null || isAllowedReference(reference, config)) continue;
    throw new AppError(
      "bad_request",
      `${name} refers to the environment variable ${reference}, which general_settings.env_references does not allow.`,
      { param: `callback_vars.${name}` },
    );
  }
}

async function checkTargets(callback: Callback, destination: Destination): Promise<void> {
  const vars = callback.callback_vars;
  const given = (destination.targetVars ?? []).filter(
    (name) => !isBlank(vars[name]) && envReference(vars[name]) === null,
  );
  const [first] = given;
  if (first === undefined) return;
  for (const url of destination.targetUrls?.(vars) ?? []) await checkTarget(first, url);
  for (const name of given.filter((known) => /_(host|url|endpoint)$/i.test(known))) {
    const value = String(vars[name]).trim();
    // A colon before anything but a port ends a scheme, whatever follows.
    await checkTarget(name, /^[a-z][a-z0-9+.-]*:(?!\d)/i.test(value) ? value : `https://${value}`);
  }
}

async function checkTarget(name: string, url: string): Promise<void> {
  try {
    await checkGuardedUrl(url);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.code, error.message, { param: `callback_vars.${name}`, cause: error });
  }
}
