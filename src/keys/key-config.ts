import type { Config } from "#lib/config.ts";
import { addDuration } from "#lib/duration.ts";
import { AppError } from "#lib/errors.ts";
import { GenerateKey, type KeyFields } from "#keys/key.ts";

const boundedNumbers = ["max_budget", "max_parallel_requests", "tpm_limit", "rpm_limit"] as const;
const boundedDurations = ["duration", "budget_duration"] as const;

/**
 * Fills what a new key leaves out from `litellm_settings.default_key_generate_params`, then, as LiteLLM does, what is
 * still absent from `upperbound_key_generate_params`. Throws where config.yaml holds a value that does not fit.
 */
export function withKeyDefaults(given: GenerateKey, config: Config): GenerateKey {
  const { default_key_generate_params: defaults = {}, upperbound_key_generate_params: bounds = {} } =
    config.litellm_settings;
  const bounded = [...boundedNumbers, ...boundedDurations];
  const limits = Object.entries(bounds).filter(([name]) => bounded.some((known) => known === name));
  const filled = { ...given };
  for (const [name, value] of [...Object.entries(defaults), ...limits]) {
    if (name !== "key" && isAbsent(filled[name])) filled[name] = value;
  }
  const parsed = GenerateKey.safeParse(filled);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = `litellm_settings.default_key_generate_params.${issue?.path.join(".") ?? ""}`;
  throw new AppError("internal", `${name} of config.yaml does not fit: ${issue?.message ?? "wrong value"}.`);
}

/** Throws 400 where a value is above the one of `upperbound_key_generate_params`. */
export function assertBelowBounds(fields: KeyFields, config: Config, now: Date): void {
  const bounds = config.litellm_settings.upperbound_key_generate_params ?? {};
  for (const name of boundedNumbers) {
    const value = fields[name];
    const max = bounds[name];
    if (typeof value === "number" && typeof max === "number" && value > max) throw overBound(name, value, max);
  }
  for (const name of boundedDurations) {
    const value = fields[name];
    const max = bounds[name];
    if (typeof value !== "string" || typeof max !== "string" || value === "" || max === "-1") continue;
    if (value === "-1" || addDuration(now, value, name) > addDuration(now, max, name))
      throw overBound(name, value, max);
  }
}

function overBound(name: string, value: string | number, max: string | number): AppError {
  const message = `${name} is over max limit set in config - user_value=${String(value)}; max_value=${String(max)}`;
  return new AppError("bad_request", message, { param: name });
}

/** LiteLLM cannot tell an empty list or object from an absent one. */
function isAbsent(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
