import { z } from "zod";
import { controlField } from "#logging/control-field.ts";
import { Email } from "#lib/email.ts";
import { isStorable, unstorableMessage } from "#lib/storable.ts";
import { limitShape } from "#keys/limit-fields.ts";
import { memberBudgetShape, ModelMaxBudget } from "#keys/model-budgets.ts";
import { TeamId } from "#keys/team-id.ts";
import { CallbackType, CallbackVars } from "#logging/callback.ts";
import { Metadata } from "#logging/read-logging.ts";
import { RedactionLevel } from "#logging/redaction-level.ts";

const json = z.json().optional();
const name = z.string().max(256).nullish();

/** Fields of LiteLLM's team that are kept as given and shown again. */
export const teamExtrasShape = {
  guardrails: controlField("guardrails"),
  team_member_permissions: json,
  ...memberBudgetShape,
  model_rpm_limit: json,
  model_tpm_limit: json,
  model_max_budget: ModelMaxBudget,
  object_permission: json,
};

const teamShape = {
  team_alias: name,
  organization_id: name,
  metadata: Metadata.nullish(),
  tags: z.array(z.string()).nullish(),
  ...limitShape,
  models: z.array(z.string()).nullish(),
  model_aliases: z.record(z.string(), z.string()).nullish(),
  blocked: z.boolean().nullish(),
  redaction: RedactionLevel.nullish(),
  /** Ours: opting out has no effect on this team's calls. For proxy administrators. */
  must_log: z.boolean().nullish(),
  ...teamExtrasShape,
};

/** The fields that a new and a changed team have in common. */
export const TeamFields = z.object(teamShape);
export type TeamFields = z.output<typeof TeamFields>;

const spelling = z
  .string()
  .max(256)
  .transform((text) => text.trim().toLowerCase());
/** Names whom a member is; empty: the user id does. */
const memberEmail = spelling.nullish();
const newMemberEmail = spelling
  .refine((text) => text === "" || Email.safeParse(text).success, "Value error, not one plain e-mail address")
  .nullish();

/** A member as `members_with_roles` has it: one of user id and e-mail is needed. */
export const Member = z
  .object({ role: z.enum(["admin", "user"]), user_id: name, user_email: newMemberEmail })
  .refine((member) => Boolean(member.user_id) || Boolean(member.user_email), "Either user_id or user_email is needed");
export type Member = z.output<typeof Member>;

/** The body of `POST /team/new`; unknown fields are ignored. */
export const CreateTeam = z
  .looseObject({ team_id: TeamId.nullish(), ...teamShape, members_with_roles: z.array(Member).nullish() })
  .refine(isStorable, unstorableMessage);
export type CreateTeam = z.output<typeof CreateTeam>;

/** The body of `POST /team/update`. */
export const UpdateTeam = z.looseObject({ team_id: TeamId, ...teamShape }).refine(isStorable, unstorableMessage);
export type UpdateTeam = z.output<typeof UpdateTeam>;

/** The body of `POST /team/{team_id}/callback`. */
export const AddCallback = z
  .looseObject({
    callback_name: z.string().min(1).max(256),
    callback_type: CallbackType.nullable().default("success_and_failure"),
    callback_vars: CallbackVars,
    /** Ours: take a second entry of the same name and type. */
    allow_multiple: z.boolean().nullish(),
  })
  .refine(isStorable, unstorableMessage);
export type AddCallback = z.output<typeof AddCallback>;

/** The body of `POST /team/delete`. */
export const DeleteTeams = z
  .looseObject({ team_ids: z.array(z.string()).min(1) })
  .refine(isStorable, unstorableMessage);

/** The body of `POST /team/block` and `POST /team/unblock`. */
export const TeamName = z.looseObject({ team_id: z.string() }).refine(isStorable, unstorableMessage);

const memberLimitShape = {
  max_budget_in_team: limitShape.max_budget,
  tpm_limit: limitShape.tpm_limit,
  rpm_limit: limitShape.rpm_limit,
};

/** The limits of a member inside his team. */
export const MemberLimits = z.object(memberLimitShape);
export type MemberLimits = z.output<typeof MemberLimits>;

/** The body of `POST /team/member_add`: one member or several. */
export const AddMembers = z
  .looseObject({ team_id: z.string(), member: z.union([Member, z.array(Member).min(1)]), ...memberLimitShape })
  .refine(isStorable, unstorableMessage);
export type AddMembers = z.output<typeof AddMembers>;

const memberNameShape = { team_id: z.string(), user_id: name, user_email: memberEmail };
const namesSomebody = (body: { user_id?: unknown; user_email?: unknown }): boolean =>
  Boolean(body.user_id) || Boolean(body.user_email);
const namesNobody = "Either user_id or user_email is needed";

/** The body of `POST /team/member_delete`. */
export const MemberName = z
  .looseObject(memberNameShape)
  .refine(isStorable, unstorableMessage)
  .refine(namesSomebody, namesNobody);
export type MemberName = z.output<typeof MemberName>;

/** The body of `POST /team/member_update`; what is absent stays. */
export const UpdateMember = z
  .looseObject({ ...memberNameShape, role: z.enum(["admin", "user"]).nullish(), ...memberLimitShape })
  .refine(isStorable, unstorableMessage)
  .refine(namesSomebody, namesNobody);
export type UpdateMember = z.output<typeof UpdateMember>;
