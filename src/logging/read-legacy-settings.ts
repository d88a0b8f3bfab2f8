import { z } from "zod";
import { AppError } from "#lib/errors.ts";
import { CallbackVars, generalVars } from "#logging/callback.ts";
import { findDestination } from "#logging/destinations/index.ts";
import type { CallbackEntry } from "#logging/read-logging.ts";
import { refuse } from "#logging/refuse.ts";

const names = z
  .array(z.string().min(1))
  .nullish()
  .transform((list) => list ?? []);

const LegacySettings = z.object({
  success_callback: names,
  failure_callback: names,
  callback_vars: CallbackVars.nullish().transform((vars) => vars ?? {}),
});

/**
 * The entries that LiteLLM's older `metadata.callback_settings` stand for. It has one map of variables for all
 * callbacks, so each gets those it takes, and the first also what none takes.
 */
export function readLegacySettings(given: unknown): CallbackEntry[] {
  if (given === undefined || given === null) return [];
  const parsed = LegacySettings.safeParse(given);
  if (!parsed.success) {
    const message = "metadata.callback_settings must have success_callback, failure_callback and callback_vars.";
    refuse(new AppError("bad_request", message, { param: "metadata.callback_settings" }));
    return [];
  }
  const { success_callback: success, failure_callback: failure, callback_vars: vars } = parsed.data;
  const all = [...new Set([...success, ...failure])];
  return all.map((callbackName, index) => ({
    callbackName,
    callbackType: callbackTypeOf(success.includes(callbackName), failure.includes(callbackName)),
    callbackVars: Object.fromEntries(
      Object.entries(vars).filter(
        ([name]) => takes(callbackName, name) || (index === 0 && !all.some((other) => takes(other, name))),
      ),
    ),
  }));
}

function callbackTypeOf(onSuccess: boolean, onFailure: boolean): string {
  if (onSuccess && onFailure) return "success_and_failure";
  return onSuccess ? "success" : "failure";
}

function takes(callbackName: string, varName: string): boolean {
  const shape = findDestination(callbackName)?.vars.shape ?? {};
  return Object.hasOwn(shape, varName) || generalVars.some((name) => name === varName);
}
