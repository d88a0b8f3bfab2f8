import { z } from "zod";
import { controlField } from "#logging/control-field.ts";
import { Email } from "#lib/email.ts";
import { isStorable, unstorableMessage } from "#lib/storable.ts";
import { Role } from "#keys/actor.ts";
import { keyShape } from "#keys/key.ts";
import { limitShape } from "#keys/limit-fields.ts";
import { masterUserId } from "#keys/master-user.ts";
import { ModelMaxBudget } from "#keys/model-budgets.ts";
import { Metadata } from "#logging/read-logging.ts";

const json = z.json().optional();

/** A user's id: any text of 1 to 256 characters. The master key's user is none that could be made or changed. */
export const UserId = z
  .string()
  .min(1)
  .max(256)
  .refine((id) => id !== masterUserId, `Value error, ${masterUserId} stands for the master key`);

/** Fields of LiteLLM's user that are kept as given and shown again. */
export const userExtrasShape = {
  organization_id: json,
  sso_user_id: json,
  model_max_budget: ModelMaxBudget,
  model_rpm_limit: json,
  model_tpm_limit: json,
  guardrails: controlField("guardrails"),
  allowed_cache_controls: json,
  object_permission: json,
};

const userShape = {
  user_alias: z.string().max(256).nullish(),
  user_role: Role.nullish(),
  models: z.array(z.string()).nullish(),
  metadata: Metadata.nullish(),
  ...limitShape,
  ...userExtrasShape,
};

/** The fields that a new and a changed user have in common. */
export const UserFields = z.object(userShape);
export type UserFields = z.output<typeof UserFields>;

/** The fields of a new user's key, where one is made with him. */
const keyFields = {
  auto_create_key: z.boolean().nullish(),
  key_alias: keyShape.key_alias,
  duration: keyShape.duration,
  aliases: keyShape.aliases,
  allowed_routes: keyShape.allowed_routes,
};

/** The body of `POST /user/new`; unknown fields are refused. */
export const CreateUser = z
  .strictObject({
    user_id: UserId.nullish(),
    user_email: Email.nullish(),
    ...userShape,
    teams: z.array(z.string()).nullish(),
    ...keyFields,
    send_invite_email: json,
  })
  .refine(isStorable, unstorableMessage);
export type CreateUser = z.output<typeof CreateUser>;

/** The body of `POST /user/update`: who, by id or address, and what to change; unknown fields are refused. */
export const UpdateUser = z
  .strictObject({ user_id: UserId.nullish(), user_email: Email.nullish(), ...userShape })
  .refine(isStorable, unstorableMessage)
  .refine((body) => Boolean(body.user_id) || Boolean(body.user_email), "Either user_id or user_email is needed");
export type UpdateUser = z.output<typeof UpdateUser>;

/** The body of `POST /user/delete`. */
export const DeleteUsers = z
  .strictObject({ user_ids: z.array(z.string()).min(1).max(500) })
  .refine(isStorable, unstorableMessage);

/** The query of `GET /user/list`. */
export const ListUsers = z
  .object({
    role: Role.optional(),
    user_ids: z.string().optional().describe("Several ids with commas."),
    user_email: z.string().optional().describe("A part of the address."),
    team: z.string().optional(),
    page: z.coerce.number().int().min(1).max(1_000_000).default(1),
    page_size: z.coerce.number().int().min(1).max(100).default(25),
  })
  .refine(isStorable, unstorableMessage);
export type ListUsers = z.output<typeof ListUsers>;
