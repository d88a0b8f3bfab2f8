import { z } from "zod";
import type { Db } from "#lib/db.ts";
import type { Prisma } from "#lib/prisma/client.ts";
import { sha256Hex } from "#lib/id.ts";
import { limitColumns, limitRowShape, showLimits } from "#keys/limit-fields.ts";
import { Metadata } from "#logging/read-logging.ts";
import { RedactionLevel } from "#logging/redaction-level.ts";
import { showMetadata } from "#logging/show-logging.ts";
import { callbackColumns } from "#logging/stored-callback.ts";

/** The columns of a key that the wire shows. The callbacks' variables hold sealed secrets, which `toKeyRow` masks. */
export const keyColumns = {
  ...limitColumns,
  token: true,
  keyName: true,
  alias: true,
  teamId: true,
  userId: true,
  organizationId: true,
  metadata: true,
  models: true,
  modelAliases: true,
  allowedRoutes: true,
  blocked: true,
  expires: true,
  loggingState: true,
  redaction: true,
  extras: true,
  createdBy: true,
  updatedBy: true,
  createdAt: true,
  updatedAt: true,
  callbacks: { select: callbackColumns, orderBy: { position: "asc" } },
} as const satisfies Prisma.KeySelect;

/** A key as it is read. */
export type StoredKey = Prisma.KeyGetPayload<{ select: typeof keyColumns }>;

const text = z.string().nullable();
const json = z.json().optional();

/** A key as the wire shows it. What LiteLLM's rows have and this gateway does not use is there, empty. */
export const KeyRow = z
  .object({
    token: z.string().describe("SHA-256 of the key, in hexadecimal."),
    key_name: z.string().describe("`sk-...` and the last four characters of the key."),
    key_alias: text,
    expires: text.describe("ISO 8601; null: never."),
    models: z.array(z.string()).describe("Names of models; empty: all."),
    aliases: z.record(z.string(), z.json()),
    config: z.json(),
    user_id: text,
    team_id: text,
    organization_id: text,
    permissions: z.json(),
    metadata: Metadata.describe(
      "As it was given; of secrets under `logging` the last four characters and a fingerprint.",
    ),
    blocked: z.boolean().nullable(),
    ...limitRowShape,
    allowed_cache_controls: z.json(),
    allowed_routes: z.array(z.string()).describe("Paths or groups of paths; empty: all."),
    model_spend: z.record(z.string(), z.json()),
    model_max_budget: z.json(),
    budget_id: z.json(),
    object_permission: z.json(),
    redaction: RedactionLevel.nullable(),
    agent_id: json,
    project_id: json,
    model_rpm_limit: json,
    model_tpm_limit: json,
    guardrails: json,
    enforced_params: json,
    auto_rotate: json,
    rotation_interval: json,
    created_at: z.string(),
    created_by: text,
    updated_at: z.string(),
    updated_by: text,
    last_active: text,
    litellm_budget_table: z.null(),
  })
  .meta({ id: "KeyRow" });
export type KeyRow = z.output<typeof KeyRow>;

/** The wire's row of a key, secrets masked. The key itself is not in it: only its hash is stored. */
export function toKeyRow(key: StoredKey): KeyRow {
  return {
    token: key.token,
    key_name: key.keyName,
    key_alias: key.alias,
    expires: key.expires?.toISOString() ?? null,
    models: key.models,
    aliases: Metadata.catch({}).parse(key.modelAliases),
    config: {},
    user_id: key.userId,
    team_id: key.teamId,
    organization_id: key.organizationId,
    permissions: {},
    metadata: showMetadata(key),
    blocked: key.blocked,
    ...showLimits(key),
    allowed_cache_controls: [],
    allowed_routes: key.allowedRoutes,
    model_spend: {},
    model_max_budget: {},
    budget_id: null,
    object_permission: null,
    redaction: RedactionLevel.nullable().catch(null).parse(key.redaction),
    ...Metadata.catch({}).parse(key.extras),
    created_at: key.createdAt.toISOString(),
    created_by: key.createdBy,
    updated_at: key.updatedAt.toISOString(),
    updated_by: key.updatedBy,
    last_active: null,
    litellm_budget_table: null,
  };
}

/** The hash of a key that the wire names by its text or by its hash. */
export function toToken(keyOrHash: string): string {
  return /^[0-9a-f]{64}$/i.test(keyOrHash) ? keyOrHash.toLowerCase() : sha256Hex(keyOrHash);
}

/** Reads a key by its hash; null where there is none. */
export function findKey(db: Db, token: string): Promise<StoredKey | null> {
  return db.key.findUnique({ where: { token }, select: keyColumns });
}
