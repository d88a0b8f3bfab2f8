import { isDeepStrictEqual } from "node:util";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "#keys/actor.ts";
import { isUnset, keyFieldRules } from "#keys/key-field-rules.ts";
import { isProxyAdmin } from "#keys/rights.ts";

/**
 * Throws 403 if somebody else than a proxy administrator sets or clears a field that is the operator's, and names it. A
 * value that comes back as it was shown changes nothing and passes.
 */
export function assertMaySetKeyFields(
  actor: Actor,
  input: Readonly<Record<string, unknown>>,
  row: Readonly<Record<string, unknown>> = {},
): void {
  if (isProxyAdmin(actor)) return;
  for (const [name, rule] of Object.entries(keyFieldRules)) {
    const value = input[name];
    if (rule !== "operator" || value === undefined || isDeepStrictEqual(value, row[name])) continue;
    if (isUnset(value) && isUnset(row[name])) continue;
    throw new AppError("forbidden", `Only a proxy administrator may set ${name} of a key.`, { param: name });
  }
}
