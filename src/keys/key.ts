import { z } from "zod";
import { controlField } from "#logging/control-field.ts";
import { isStorable, unstorableMessage } from "#lib/storable.ts";
import { limitShape } from "#keys/limit-fields.ts";
import { ModelMaxBudget } from "#keys/model-budgets.ts";
import { TeamId } from "#keys/team-id.ts";
import { Metadata } from "#logging/read-logging.ts";
import { RedactionLevel } from "#logging/redaction-level.ts";

const id = z.string().max(256).nullish();
const json = z.json().optional();

/** Fields of LiteLLM's key that are kept as given and shown again. */
export const keyExtrasShape = {
  agent_id: json,
  project_id: json,
  budget_id: json,
  model_max_budget: ModelMaxBudget,
  model_rpm_limit: json,
  model_tpm_limit: json,
  guardrails: controlField("guardrails"),
  enforced_params: controlField("enforced_params"),
  allowed_cache_controls: json,
  config: json,
  permissions: json,
  object_permission: json,
  auto_rotate: json,
  rotation_interval: json,
};

/** The fields that `/key/generate` and `/key/update` have in common. */
export const keyShape = {
  key_alias: z.string().min(1).max(256).nullish(),
  duration: z.string().nullish(),
  models: z.array(z.string()).nullish(),
  aliases: z.record(z.string(), z.string()).nullish(),
  team_id: TeamId.nullish(),
  user_id: id,
  organization_id: id,
  ...limitShape,
  metadata: Metadata.nullish(),
  tags: z.array(z.string()).nullish(),
  allowed_routes: z.array(z.string()).nullish(),
  key_type: z.enum(["default", "llm_api", "management", "read_only"]).nullish(),
  blocked: z.boolean().nullish(),
  redaction: RedactionLevel.nullish(),
  ...keyExtrasShape,
  send_invite_email: json,
};

/** The fields that a new and a changed key have in common. */
export const KeyFields = z.object(keyShape);
export type KeyFields = z.output<typeof KeyFields>;

/** The body of `POST /key/generate`; unknown fields are ignored. */
export const GenerateKey = z
  .looseObject({ key: z.string().max(256).nullish(), ...keyShape })
  .refine(isStorable, unstorableMessage);
export type GenerateKey = z.output<typeof GenerateKey>;

/** The body of `POST /key/update`: the key or its hash, and what to change. */
export const UpdateKey = z
  .looseObject({ key: z.string().min(1).max(256), ...keyShape })
  .refine(isStorable, unstorableMessage);
export type UpdateKey = z.output<typeof UpdateKey>;

/** The body of `POST /key/delete`: keys or their hashes, or aliases. */
export const DeleteKeys = z
  .looseObject({ keys: z.array(z.string()).nullish(), key_aliases: z.array(z.string()).nullish() })
  .refine(isStorable, unstorableMessage)
  .refine(
    (body) => (body.keys ?? []).length + (body.key_aliases ?? []).length > 0,
    "Value error, either keys or key_aliases must be given",
  );
export type DeleteKeys = z.output<typeof DeleteKeys>;

/** The body of `POST /key/regenerate`: how the new key is to be, and how long the old one goes on beside it. */
export const RegenerateKey = z
  .looseObject({
    key: z.string().min(1).max(256).nullish(),
    new_key: z.string().max(256).nullish(),
    /** Such as 24h, 2d or 1w; absent: the old key ends at once. */
    grace_period: z.string().nullish(),
    ...keyShape,
  })
  .refine(isStorable, unstorableMessage);
export type RegenerateKey = z.output<typeof RegenerateKey>;

/** The body of `POST /key/block` and `POST /key/unblock`: the key or its hash. */
export const KeyName = z.looseObject({ key: z.string() }).refine(isStorable, unstorableMessage);

/** The body of `POST /key/{key}/reset_spend`, in USD. */
export const ResetSpend = z.looseObject({ reset_to: z.number() });

/** The body of `POST /key/bulk_update`: what `/key/update` takes, for many keys. */
export const BulkUpdateKeys = z.looseObject({ keys: z.array(UpdateKey).meta({ minItems: 1, maxItems: 500 }) });
export type BulkUpdateKeys = z.output<typeof BulkUpdateKeys>;

/** The body of `POST /v2/key/info`: keys or their hashes. */
export const KeyNames = z.looseObject({ keys: z.array(z.string()).max(500) });
