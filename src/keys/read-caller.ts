import { z } from "zod";
import { readRole } from "#keys/actor.ts";
import { CacheControls, readAllowedControls } from "#keys/cache-controls.ts";
import { toCallBudgets } from "#keys/call-budgets.ts";
import { callLimitColumns, readUserLimits, toCallLimits, type UserLimits } from "#keys/call-limits.ts";
import type { Caller } from "#keys/caller.ts";
import { masterUserId } from "#keys/master-user.ts";
import { readRetiredCaller } from "#keys/read-retired-caller.ts";
import { configState } from "#lib/config.ts";
import type { Db } from "#lib/db.ts";
import type { Prisma } from "#lib/prisma/client.ts";
import { choosePolicy } from "#logging/policy.ts";
import { readWhole, statementColumns, toStatement } from "#logging/read-statement.ts";

const Aliases = z.record(z.string(), z.string()).catch({});

/** What of a key's or team's free-form metadata steers its calls. Anything that does not fit says nothing. */
const CallMetadata = z
  .object({
    tags: z.array(z.string()).catch([]),
    litellm_disabled_callbacks: z.array(z.string()).catch([]),
    allow_client_message_redaction_opt_out: z.boolean().catch(false),
    cache: CacheControls.optional().catch(undefined),
  })
  .catch({ tags: [], litellm_disabled_callbacks: [], allow_client_message_redaction_opt_out: false });

const sharedColumns = {
  ...statementColumns,
  metadata: true,
  models: true,
  modelAliases: true,
  blocked: true,
  alias: true,
  ...callLimitColumns,
  maxBudget: true,
  softBudget: true,
} as const;

const callerColumns = {
  ...sharedColumns,
  spend: true,
  token: true,
  teamId: true,
  userId: true,
  organizationId: true,
  allowedRoutes: true,
  expires: true,
  team: { select: { ...sharedColumns, organizationId: true, mustLog: true } },
} as const satisfies Prisma.KeySelect;

type CallingKey = Prisma.KeyGetPayload<{ select: typeof callerColumns }>;

/**
 * Reads a key with its team and works out its policy; null if there never was such a key. The hash that a key had
 * before it was regenerated names the same caller for as long as the grace period allowed. Then that caller is expired,
 * or, without a grace period, retired. So is the caller of a deleted key.
 */
export async function readCaller(db: Db, keyHash: string): Promise<Caller | null> {
  const key = await readWhole(() => db.key.findUnique({ where: { token: keyHash }, select: callerColumns }));
  if (key) return readOwner(db, key);
  // In this order: a key that is regenerated or deleted between two reads is found by the next one.
  return (await readFormerCaller(db, keyHash)) ?? readRetiredCaller(db, keyHash);
}

/** Those of these hashes that are a key's now, or were one's, by one query. */
export async function readExisting(db: Db, keyHashes: readonly string[]): Promise<Set<string>> {
  // One statement sees one state: a key that is regenerated or deleted meanwhile stands in one of the tables.
  const rows = await db.$queryRaw<{ token: string }[]>`
    SELECT token FROM "Key" WHERE token = ANY(${keyHashes})
    UNION SELECT token FROM "FormerToken" WHERE token = ANY(${keyHashes})
    UNION SELECT token FROM "RetiredKey" WHERE token = ANY(${keyHashes})`;
  return new Set(rows.map(({ token }) => token));
}

async function readOwner(db: Db, key: CallingKey): Promise<Caller> {
  return toCaller(key, await readUser(db, key.userId), await readUserLimits(db, key));
}

async function readFormerCaller(db: Db, token: string): Promise<Caller | null> {
  const select = { validUntil: true, key: { select: callerColumns } } as const;
  const former = await db.formerToken.findUnique({ where: { token }, select });
  if (!former) return null;
  const { key, validUntil } = former;
  if (validUntil === null) return { ...(await readOwner(db, key)), isRetired: true };
  return readOwner(db, { ...key, expires: key.expires && key.expires < validUntil ? key.expires : validUntil });
}

/** As whom a key acts. A user who does not exist is nobody, and so is the one that the master key stands for. */
async function readUser(db: Db, userId: string | null): Promise<Pick<Caller, "role" | "userId">> {
  const role = userId === masterUserId ? "unknown" : await readRole(db, userId);
  return { role, userId: role === "unknown" ? null : userId };
}

function toCaller(key: CallingKey, user: Pick<Caller, "role" | "userId">, ofUser: UserLimits): Caller {
  const keyHash = key.token;
  const keyMetadata = CallMetadata.parse(key.metadata);
  const teamMetadata = CallMetadata.parse(key.team?.metadata ?? {});
  const config = configState.get();
  return {
    ...user,
    keyHash,
    teamId: key.teamId,
    keyModels: key.models,
    teamModels: key.team?.models ?? [],
    modelAliases: { ...Aliases.parse(key.team?.modelAliases ?? {}), ...Aliases.parse(key.modelAliases) },
    allowedRoutes: key.allowedRoutes,
    expires: key.expires,
    refusal: refusal(key),
    tags: [...new Set([...keyMetadata.tags, ...teamMetadata.tags])],
    disabledCallbacks: keyMetadata.litellm_disabled_callbacks.map((name) => name.toLowerCase()),
    mayOptOutOfRedaction:
      config.litellm_settings.allow_client_message_redaction_opt_out ||
      keyMetadata.allow_client_message_redaction_opt_out ||
      teamMetadata.allow_client_message_redaction_opt_out,
    limits: [toCallLimits("api_key", keyHash, key), key.team && toCallLimits("team", key.teamId ?? "", key.team)]
      .concat(ofUser.limits)
      .filter((limits) => limits !== null),
    budgets: [
      ...toCallBudgets("key", keyHash, key),
      ...toCallBudgets("team", key.teamId ?? "", key.team),
      ...ofUser.budgets,
    ],
    cacheControls: [keyMetadata.cache, teamMetadata.cache].filter((controls) => controls !== undefined),
    allowedCacheControls: readAllowedControls(key.extras),
    keyNumbers: {
      spend: key.spend,
      maxBudget: key.maxBudget,
      tokensPerMinute: key.tpmLimit === null ? null : Number(key.tpmLimit),
      requestsPerMinute: key.rpmLimit === null ? null : Number(key.rpmLimit),
    },
    logging: choosePolicy(
      { teamId: key.teamId, key: toStatement(key), team: key.team ? toStatement(key.team) : null },
      config,
    ),
    attribution: {
      keyHash,
      keyAlias: key.alias,
      userId: key.userId,
      userEmail: null,
      teamId: key.teamId,
      teamAlias: key.team?.alias ?? null,
      organizationId: key.organizationId ?? key.team?.organizationId ?? null,
    },
  };
}

/** Why a key may not be used although it exists, in LiteLLM's words . */
function refusal(key: {
  blocked: boolean | null;
  teamId: string | null;
  team: { blocked: boolean } | null;
}): string | null {
  if (key.blocked) return "Key is blocked. Update via `/key/unblock` if you're an admin.";
  if (key.team?.blocked) {
    return `Team=${key.teamId ?? ""} is blocked. Update via \`/team/unblock\` if you're an admin.`;
  }
  return null;
}
