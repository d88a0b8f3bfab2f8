import { z } from "zod";
import { memberBudgetId, toCallBudgets, type CallBudget } from "#keys/call-budgets.ts";
import { readMemberBudget } from "#keys/model-budgets.ts";
import type { Db } from "#lib/db.ts";

/** Whose limit it is, in the words of LiteLLM's refusals. */
export type LimitScope = "api_key" | "team" | "team_member" | "user";

/** What one key, team, member or user may do in a minute, and at once. Null: as much as it likes. */
export type CallLimits = {
  scope: LimitScope;
  /** Of the key its hash, of a member team and user. */
  id: string;
  requestsPerMinute: number | null;
  tokensPerMinute: number | null;
  parallelRequests: number | null;
  /** By the model's public name. */
  modelRequestsPerMinute: Readonly<Record<string, number>>;
  modelTokensPerMinute: Readonly<Record<string, number>>;
};

/** The columns that limits are read from. */
export const callLimitColumns = {
  tpmLimit: true,
  rpmLimit: true,
  maxParallelRequests: true,
  extras: true,
} as const;

type LimitRow = {
  tpmLimit: bigint | null;
  rpmLimit: bigint | null;
  maxParallelRequests?: number | null;
  extras?: unknown;
};

const ModelLimits = z.record(z.string(), z.number().min(0)).catch({});
const Extras = z.object({ model_rpm_limit: ModelLimits.optional(), model_tpm_limit: ModelLimits.optional() }).catch({});

/** `model_rpm_limit` or `model_tpm_limit` as calls read it: what does not fit limits nothing. */
export function readModelLimits(value: unknown): Readonly<Record<string, number>> {
  return ModelLimits.parse(value ?? {});
}

/** The limits of a row; null where it sets none. */
export function toCallLimits(scope: LimitScope, id: string, row: LimitRow): CallLimits | null {
  const extras = Extras.parse(row.extras ?? {});
  const limits: CallLimits = {
    scope,
    id,
    requestsPerMinute: toNumber(row.rpmLimit),
    tokensPerMinute: toNumber(row.tpmLimit),
    parallelRequests: row.maxParallelRequests ?? null,
    modelRequestsPerMinute: extras.model_rpm_limit ?? {},
    modelTokensPerMinute: extras.model_tpm_limit ?? {},
  };
  const isEmpty =
    limits.requestsPerMinute === null &&
    limits.tokensPerMinute === null &&
    limits.parallelRequests === null &&
    Object.keys(limits.modelRequestsPerMinute).length === 0 &&
    Object.keys(limits.modelTokensPerMinute).length === 0;
  return isEmpty ? null : limits;
}

/** What limits a key's user, alone and as a member of the key's team. */
export type UserLimits = { limits: CallLimits[]; budgets: CallBudget[] };

/** Reads what limits a key's user; nothing for a key without one. */
export async function readUserLimits(
  db: Db,
  { userId, teamId }: { userId: string | null; teamId: string | null },
): Promise<UserLimits> {
  if (userId === null) return { limits: [], budgets: [] };
  const ofUser = { ...callLimitColumns, maxBudget: true, softBudget: true } as const;
  const user = await db.user.findUnique({ where: { id: userId }, select: ofUser });
  const select = { tpmLimit: true, rpmLimit: true, maxBudget: true, team: { select: { extras: true } } } as const;
  const where = { teamId_userId: { teamId: teamId ?? "", userId } };
  const member = teamId === null ? null : await db.teamMember.findUnique({ where, select });
  return {
    limits: [
      user && toCallLimits("user", userId, user),
      member && toCallLimits("team_member", `${teamId ?? ""}:${userId}`, member),
    ].filter((limits) => limits !== null),
    budgets: [
      ...toCallBudgets("user", userId, user),
      ...toCallBudgets("team_member", memberBudgetId(teamId ?? "", userId), member && toMemberBudget(member)),
    ],
  };
}

/** A member without a budget of his own has the one that the team gives each member. */
function toMemberBudget({ maxBudget, team }: { maxBudget: number | null; team: { extras: unknown } }) {
  return { maxBudget: maxBudget ?? readMemberBudget(team.extras).maxBudget };
}

function toNumber(value: bigint | null): number | null {
  return value === null ? null : Number(value);
}
