import { z } from "zod";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Transaction } from "#lib/in-transaction.ts";
import type { Prisma } from "#lib/prisma/client.ts";
import { limitColumns, limitRowShape, showLimits } from "#keys/limit-fields.ts";
import { isTeamId } from "#keys/team-id.ts";
import { Metadata } from "#logging/read-logging.ts";
import { RedactionLevel } from "#logging/redaction-level.ts";
import { showMetadata } from "#logging/show-logging.ts";
import { callbackColumns } from "#logging/stored-callback.ts";

/** The columns of a team that the wire shows. The callbacks' variables hold sealed secrets, which `toTeamRow` masks. */
export const teamColumns = {
  ...limitColumns,
  id: true,
  alias: true,
  organizationId: true,
  metadata: true,
  models: true,
  modelAliases: true,
  blocked: true,
  loggingState: true,
  redaction: true,
  mustLog: true,
  extras: true,
  createdAt: true,
  updatedAt: true,
  members: {
    select: { userId: true, userEmail: true, role: true },
    orderBy: [{ createdAt: "asc" }, { userId: "asc" }],
  },
  callbacks: { select: callbackColumns, orderBy: { position: "asc" } },
} as const satisfies Prisma.TeamSelect;

/** A team as it is read. */
export type StoredTeam = Prisma.TeamGetPayload<{ select: typeof teamColumns }>;

const text = z.string().nullable();
const json = z.json().optional();
const jsonObject = z.record(z.string(), z.json());

/** A team as the wire shows it. What LiteLLM's rows have and this gateway does not use is there, empty. */
export const TeamRow = z
  .object({
    team_id: z.string(),
    team_alias: text,
    organization_id: text,
    admins: z.array(z.string()),
    members: z.array(z.string()),
    members_with_roles: z.array(z.object({ role: z.string(), user_id: text, user_email: text })),
    team_member_permissions: z.json(),
    metadata: Metadata.describe(
      "As it was given; of secrets under `logging` the last four characters and a fingerprint.",
    ),
    ...limitRowShape,
    models: z.array(z.string()).describe("Names of models; empty: all."),
    blocked: z.boolean(),
    redaction: RedactionLevel.nullable(),
    must_log: z.boolean().describe("Opting out has no effect on the team's calls."),
    model_id: z.null(),
    model_spend: jsonObject,
    model_max_budget: z.json(),
    model_aliases: jsonObject,
    litellm_model_table: z.object({ model_aliases: jsonObject }).nullable(),
    object_permission: z.json(),
    object_permission_id: text,
    guardrails: json,
    team_member_budget: json,
    team_member_budget_duration: json,
    model_rpm_limit: json,
    model_tpm_limit: json,
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: "TeamRow" });
export type TeamRow = z.output<typeof TeamRow>;

/** The wire's row of a team, secrets masked. */
export function toTeamRow(team: StoredTeam): TeamRow {
  const modelAliases = Metadata.catch({}).parse(team.modelAliases);
  return {
    team_id: team.id,
    team_alias: team.alias,
    organization_id: team.organizationId,
    admins: [],
    members: [],
    members_with_roles: team.members.map((member) => ({
      role: member.role,
      user_id: member.userId,
      user_email: member.userEmail,
    })),
    team_member_permissions: null,
    metadata: showMetadata(team),
    ...showLimits(team),
    models: team.models,
    blocked: team.blocked,
    redaction: RedactionLevel.nullable().catch(null).parse(team.redaction),
    must_log: team.mustLog,
    model_id: null,
    model_spend: {},
    model_max_budget: {},
    model_aliases: modelAliases,
    litellm_model_table: Object.keys(modelAliases).length === 0 ? null : { model_aliases: modelAliases },
    object_permission: null,
    object_permission_id: null,
    ...Metadata.catch({}).parse(team.extras),
    created_at: team.createdAt.toISOString(),
    updated_at: team.updatedAt.toISOString(),
  };
}

/** Reads a team; null where there is none, also for a text that can be no team's id. */
export async function findTeam(db: Db, teamId: string): Promise<StoredTeam | null> {
  return isTeamId(teamId) ? db.team.findUnique({ where: { id: teamId }, select: teamColumns }) : null;
}

/** Reads a team that nobody else changes before the transaction ends; null where there is none. */
export async function lockTeam(tx: Transaction, teamId: string): Promise<StoredTeam | null> {
  if (!isTeamId(teamId)) return null;
  await tx.$queryRaw`SELECT 1 AS locked FROM "Team" WHERE id = ${teamId} FOR UPDATE`;
  return findTeam(tx, teamId);
}

/** The refusal of a team that does not exist, as the callback routes word it: 400 or 404 by route. */
export function unknownTeam(teamId: string, status: 400 | 404): AppError {
  const error = `Team id = ${teamId} does not exist.`;
  return new AppError(status === 400 ? "bad_request" : "not_found", error, { detail: { error } });
}

/** The refusal of a team that does not exist, as the routes on whole teams word it. */
export function teamNotFound(teamId: string): AppError {
  const error = `Team not found, passed team_id=${teamId}`;
  return new AppError("not_found", error, { detail: { error } });
}
