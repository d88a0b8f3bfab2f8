import { z } from "zod";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Prisma } from "#lib/prisma/client.ts";
import { withoutUndefined } from "#lib/without-undefined.ts";
import { mergeExtras } from "#keys/key-columns.ts";
import { limitColumns, limitRowShape, showLimits, toLimitColumns } from "#keys/limit-fields.ts";
import { Metadata } from "#logging/read-logging.ts";
import { userExtrasShape, type UserFields } from "#users/user.ts";

/** The columns of a user that the wire shows. The hash of his password is none of them. */
export const userColumns = {
  ...limitColumns,
  id: true,
  email: true,
  alias: true,
  role: true,
  metadata: true,
  models: true,
  extras: true,
  createdAt: true,
  updatedAt: true,
} as const satisfies Prisma.UserSelect;

/** A user as he is read. */
export type StoredUser = Prisma.UserGetPayload<{ select: typeof userColumns }>;

const text = z.string().nullable();
const json = z.json().optional();

/** A user as the wire shows him. */
export const UserRow = z
  .object({
    user_id: z.string(),
    user_email: text,
    user_alias: text,
    user_role: z.string(),
    teams: z.array(z.string()).describe("The ids of the teams that he is a member of."),
    models: z.array(z.string()).describe("Names of models; empty: all."),
    metadata: Metadata,
    ...limitRowShape,
    organization_id: z.json(),
    sso_user_id: z.json(),
    model_spend: z.record(z.string(), z.json()),
    model_max_budget: z.json(),
    object_permission: z.json(),
    model_rpm_limit: json,
    model_tpm_limit: json,
    guardrails: json,
    allowed_cache_controls: json,
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: "UserRow" });
export type UserRow = z.output<typeof UserRow>;

/** The wire's row of a user. */
export function toUserRow(user: StoredUser, teams: readonly string[]): UserRow {
  return {
    user_id: user.id,
    user_email: user.email,
    user_alias: user.alias,
    user_role: user.role,
    teams: [...teams],
    models: user.models,
    metadata: Metadata.catch({}).parse(user.metadata),
    ...showLimits(user),
    organization_id: null,
    sso_user_id: null,
    model_spend: {},
    model_max_budget: {},
    object_permission: null,
    ...Metadata.catch({}).parse(user.extras),
    created_at: user.createdAt.toISOString(),
    updated_at: user.updatedAt.toISOString(),
  };
}

/** The rows of users with the ids of their teams, in the given order. */
export async function toUserRows(db: Db, users: readonly StoredUser[]): Promise<UserRow[]> {
  const where = { userId: { in: users.map((user) => user.id) } };
  const select = { userId: true, teamId: true } as const;
  const members = await db.teamMember.findMany({ where, select, orderBy: [{ createdAt: "asc" }, { teamId: "asc" }] });
  const byUser = Map.groupBy(members, (member) => member.userId);
  return users.map((user) =>
    toUserRow(
      user,
      (byUser.get(user.id) ?? []).map((member) => member.teamId),
    ),
  );
}

/** The columns that the fields of a write set. Throws 400 for negative limits and durations that are none. */
export function toUserColumns(fields: UserFields, { now, extras }: { now: Date; extras: unknown }) {
  return withoutUndefined({
    alias: fields.user_alias,
    role: fields.user_role ?? undefined,
    models: fields.models === null ? [] : fields.models,
    metadata: fields.metadata === null ? {} : fields.metadata,
    ...toLimitColumns(fields, now),
    extras: mergeExtras(extras, fields, userExtrasShape),
  });
}

/** The refusal of a user who does not exist. */
export function unknownUser(named: string): AppError {
  return new AppError("not_found", `User ${named} not found`, { param: "user_id" });
}
