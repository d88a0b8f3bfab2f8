import { isDeepStrictEqual } from "node:util";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "#keys/actor.ts";
import { isProxyAdmin } from "#keys/rights.ts";
import type { TeamRow } from "#teams/team-row.ts";
import { TeamFields } from "#teams/team.ts";

/** What a team's administrators set themselves. What a team may use and spend is given to it. */
const ownFields = ["team_alias", "metadata", "tags", "redaction", "guardrails", "team_member_permissions"];

/**
 * Throws 403 where a team's administrator would give his team what only proxy administrators give, and names the field.
 * A value that comes back as it was shown changes nothing and passes.
 */
export function assertMaySetFields(actor: Actor, input: Readonly<Record<string, unknown>>, row: TeamRow): void {
  if (isProxyAdmin(actor)) return;
  const shown: Readonly<Record<string, unknown>> = row;
  for (const name of Object.keys(TeamFields.shape)) {
    if (ownFields.includes(name) || input[name] === undefined || isDeepStrictEqual(input[name], shown[name] ?? null)) {
      continue;
    }
    throw new AppError("forbidden", `Only a proxy administrator may set ${name} of a team.`, { param: name });
  }
}
