import { z } from "zod";
import { AppError } from "#lib/errors.ts";
import { withoutUndefined } from "#lib/without-undefined.ts";
import type { MemberLimits } from "#teams/team.ts";

/** A member's limits inside his team, as LiteLLM lists them. */
export const Membership = z
  .object({
    team_id: z.string(),
    user_id: z.string(),
    budget_id: z.null(),
    spend: z.number(),
    litellm_budget_table: z.object({
      max_budget: z.number().nullable(),
      tpm_limit: z.number().nullable(),
      rpm_limit: z.number().nullable(),
    }),
  })
  .meta({ id: "Membership" });
export type Membership = z.output<typeof Membership>;

/** The columns that the given limits of a member set. Throws 400 for a negative one. */
export function memberLimits(fields: MemberLimits) {
  for (const name of ["max_budget_in_team", "tpm_limit", "rpm_limit"] as const) {
    const value = fields[name];
    if (typeof value !== "number" || value >= 0) continue;
    throw new AppError("bad_request", `${name} cannot be negative. Received: ${String(value)}`, { param: name });
  }
  return withoutUndefined({
    maxBudget: fields.max_budget_in_team,
    tpmLimit: fields.tpm_limit,
    rpmLimit: fields.rpm_limit,
  });
}

/** A membership as the wire shows it. */
export function showMembership(member: {
  teamId: string;
  userId: string;
  maxBudget?: number | null;
  tpmLimit?: bigint | number | null;
  rpmLimit?: bigint | number | null;
}): Membership {
  const { maxBudget = null, tpmLimit = null, rpmLimit = null } = member;
  return {
    team_id: member.teamId,
    user_id: member.userId,
    budget_id: null,
    spend: 0,
    litellm_budget_table: {
      max_budget: maxBudget,
      tpm_limit: tpmLimit === null ? null : Number(tpmLimit),
      rpm_limit: rpmLimit === null ? null : Number(rpmLimit),
    },
  };
}
