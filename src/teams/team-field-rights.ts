import { isDeepStrictEqual } from "node:util";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "#keys/actor.ts";
import { findLooserMetadata } from "#keys/guarded-metadata.ts";
import { isProxyAdmin } from "#keys/rights.ts";
import type { TeamRow } from "#teams/team-row.ts";
import type { TeamFields } from "#teams/team.ts";

/**
 * Who writes a field of a team. `own`: its administrators. `operator`: proxy administrators, since it is what a team may
 * use and spend. A function: its administrators, as long as it is as tight as what is held.
 */
type FieldRule = "own" | "operator" | ((given: unknown, held: unknown) => boolean);

/** Every field of the team's schema. A new field is a type error here until somebody decides about it. */
export const teamFieldRules: Readonly<Record<keyof TeamFields, FieldRule>> = {
  team_alias: "own",
  tags: "own",
  redaction: "own",
  team_member_permissions: "own",
  metadata: (given, held) => findLooserMetadata(given, held) === null,
  guardrails: keepsGuardrails,
  organization_id: "operator",
  max_budget: "operator",
  soft_budget: "operator",
  budget_duration: "operator",
  tpm_limit: "operator",
  rpm_limit: "operator",
  max_parallel_requests: "operator",
  models: "operator",
  model_aliases: "operator",
  blocked: "operator",
  must_log: "operator",
  team_member_budget: "operator",
  team_member_budget_duration: "operator",
  model_rpm_limit: "operator",
  model_tpm_limit: "operator",
  model_max_budget: "operator",
  object_permission: "operator",
};

/**
 * Throws 403 if a team's administrator would give the team what only proxy administrators give, or loosen what they set,
 * and names the field. A value that comes back as it was shown changes nothing and passes.
 */
export function assertMaySetFields(actor: Actor, input: Readonly<Record<string, unknown>>, row: TeamRow): void {
  if (isProxyAdmin(actor)) return;
  const shown: Readonly<Record<string, unknown>> = row;
  for (const [name, rule] of Object.entries(teamFieldRules)) {
    const [given, held] = [input[name], shown[name] ?? null];
    if (rule === "own" || given === undefined || isDeepStrictEqual(given, held)) continue;
    if (rule !== "operator" && rule(given, held)) continue;
    throw new AppError("forbidden", `Only a proxy administrator may set ${name} of a team.`, { param: name });
  }
}

/** Guardrails may be added and not removed. */
function keepsGuardrails(given: unknown, held: unknown): boolean {
  if (!Array.isArray(held)) return held === null;
  return Array.isArray(given) && held.every((name) => given.includes(name));
}
