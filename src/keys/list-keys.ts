import { z } from "zod";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Prisma } from "#lib/prisma/client.ts";
import { isStorable, unstorableMessage } from "#lib/storable.ts";
import type { Actor } from "#keys/actor.ts";
import { readsEverything, teamIdsOf } from "#keys/rights.ts";
import { keyColumns, KeyRow, toKeyRow, toToken } from "#keys/key-row.ts";

/** A yes or no in a query; absent, it is no. */
const flag = z
  .enum(["true", "false", "True", "False", "1", "0"])
  .default("false")
  .transform((text) => /^(true|1)$/i.test(text));

/** LiteLLM's names of what keys can be sorted by, and our columns. */
const sortColumns = {
  spend: "spend",
  max_budget: "maxBudget",
  created_at: "createdAt",
  updated_at: "updatedAt",
  expires: "expires",
  key_alias: "alias",
  team_id: "teamId",
  user_id: "userId",
} as const;

/** The query of `GET /key/list`; unknown fields are ignored. */
export const ListKeys = z
  .object({
    page: z.coerce.number().int().min(1).max(1_000_000).default(1),
    size: z.coerce.number().int().min(1).max(100).default(10),
    user_id: z.string().optional(),
    team_id: z.string().optional(),
    organization_id: z.string().optional(),
    key_hash: z.string().optional(),
    key_alias: z.string().optional(),
    return_full_object: flag,
    include_team_keys: flag,
    include_created_by_keys: flag,
    sort_by: z
      .enum(["spend", "max_budget", "created_at", "updated_at", "expires", "key_alias", "team_id", "user_id"])
      .optional(),
    sort_order: z.enum(["asc", "desc"]).default("desc"),
    /** Deleted keys leave nothing that could be listed. */
    status: z.literal("deleted").optional(),
  })
  .refine(isStorable, unstorableMessage);
export type ListKeys = z.output<typeof ListKeys>;

/** One page of keys: their hashes, or their rows where the query asks for them. */
export const KeyPage = z.object({
  keys: z.union([z.array(z.string()), z.array(KeyRow)]),
  total_count: z.number().int(),
  current_page: z.number().int(),
  total_pages: z.number().int(),
});
export type KeyPage = z.output<typeof KeyPage>;

/**
 * Lists keys, the newest first. Who reads everything sees all; others their own, the key in use, and with
 * `include_team_keys` or a `team_id` those of its team and of teams that they administer. Throws 403 for a key that
 * belongs to nobody and for who asks for others' keys.
 */
export async function listKeys(db: Db, actor: Actor, query: ListKeys): Promise<KeyPage> {
  const where: Prisma.KeyWhereInput = { AND: [await visibleTo(db, actor, query), wanted(query)] };
  const page = { skip: (query.page - 1) * query.size, take: query.size, orderBy: orderOf(query) };
  const isEmpty = query.status === "deleted";
  const total = isEmpty ? 0 : await db.key.count({ where });
  const rows = isEmpty ? [] : await db.key.findMany({ where, ...page, select: keyColumns });
  return {
    keys: query.return_full_object ? rows.map(toKeyRow) : rows.map((row) => row.token),
    total_count: total,
    current_page: query.page,
    total_pages: Math.ceil(total / query.size),
  };
}

async function visibleTo(db: Db, actor: Actor, query: ListKeys): Promise<Prisma.KeyWhereInput> {
  if (readsEverything(actor)) return {};
  if (actor.userId === null) return itselfAlone(db, actor, query);
  if (query.user_id !== undefined && query.user_id !== actor.userId) {
    throw new AppError("forbidden", "You are not authorized to check another user's keys.", { param: "user_id" });
  }
  const asksForTeam = query.include_team_keys || query.team_id !== undefined;
  const teamIds = asksForTeam ? await teamIdsOf(db, actor, "admin") : [];
  if (asksForTeam && actor.teamId !== null) teamIds.push(actor.teamId);
  if (query.team_id !== undefined && !teamIds.includes(query.team_id)) {
    throw notThisTeam();
  }
  const own = [{ userId: actor.userId }, { teamId: { in: teamIds } }];
  return { OR: actor.keyHash === null ? own : [{ token: actor.keyHash }, ...own] };
}

/** A key acts as nobody where its user is the master key's or does not exist; LiteLLM refuses one without user. */
async function itselfAlone(db: Db, { keyHash, teamId }: Actor, query: ListKeys): Promise<Prisma.KeyWhereInput> {
  const token = keyHash ?? "";
  const key = await db.key.findUnique({ where: { token }, select: { userId: true } });
  if (query.team_id !== undefined && query.team_id !== teamId) throw notThisTeam();
  if (typeof key?.userId === "string") return { token };
  throw new AppError("forbidden", "This key belongs to no user and cannot list keys.", { param: "user_id" });
}

function notThisTeam(): AppError {
  return new AppError("forbidden", "You are not authorized to check this team's keys.", { param: "team_id" });
}

function wanted(query: ListKeys): Prisma.KeyWhereInput {
  const { user_id: userId, team_id: teamId, organization_id: organizationId, key_hash, key_alias: alias } = query;
  return {
    ...(userId === undefined ? {} : { OR: ofUser(userId, query) }),
    ...(teamId === undefined ? {} : { teamId }),
    ...(organizationId === undefined ? {} : { organizationId }),
    ...(key_hash === undefined ? {} : { token: toToken(key_hash) }),
    ...(alias === undefined ? {} : { alias }),
  };
}

function ofUser(userId: string, query: ListKeys): Prisma.KeyWhereInput[] {
  return [
    { userId },
    ...(query.include_created_by_keys ? [{ createdBy: userId }] : []),
    ...(query.include_team_keys ? [{ team: { members: { some: { userId } } } }] : []),
  ];
}

function orderOf(query: ListKeys): Prisma.KeyOrderByWithRelationInput[] {
  const column = sortColumns[query.sort_by ?? "created_at"];
  return [{ [column]: query.sort_order }, { token: "asc" }];
}
