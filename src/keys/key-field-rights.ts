import { isDeepStrictEqual } from "node:util";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "#keys/actor.ts";
import { isProxyAdmin } from "#keys/rights.ts";

/** What ties a key to something that belongs to nobody but the operator. */
const operatorFields = ["organization_id", "budget_id", "permissions", "config", "object_permission"] as const;

/**
 * Throws 403 where somebody else than a proxy administrator sets a field that is the operator's, and names it. A value
 * that comes back as it was shown changes nothing and passes.
 */
export function assertMaySetKeyFields(
  actor: Actor,
  input: Readonly<Record<string, unknown>>,
  row: Readonly<Record<string, unknown>> = {},
): void {
  if (isProxyAdmin(actor)) return;
  for (const name of operatorFields) {
    const value = input[name] ?? null;
    if (value === null || isDeepStrictEqual(value, row[name]) || isDeepStrictEqual(value, {})) continue;
    throw new AppError("forbidden", `Only a proxy administrator may set ${name} of a key.`, { param: name });
  }
}
