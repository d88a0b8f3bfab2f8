import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "#keys/actor.ts";
import type { Constraint } from "#keys/key-field-rules.ts";
import { findKey, toKeyRow, type StoredKey } from "#keys/key-row.ts";
import { isProxyAdmin } from "#keys/rights.ts";
import { isRouteHeld } from "#keys/route-limits.ts";

const numbers = ["maxBudget", "tpmLimit", "rpmLimit", "maxParallelRequests"] as const;
const lists = ["models", "allowedRoutes"] as const;
const wireNames = {
  maxBudget: "max_budget",
  tpmLimit: "tpm_limit",
  rpmLimit: "rpm_limit",
  maxParallelRequests: "max_parallel_requests",
  models: "models",
  allowedRoutes: "allowed_routes",
  expires: "duration",
} as const;

/** What somebody has, who gives it to a key. Null and an empty list are no limit. */
export type Ceiling = {
  /** Whose it is, for the refusal. */
  of: string;
  /**
   * True where nothing but the new key itself keeps to it: what a write leaves out is then taken from here. The limits
   * of a team hold for all its keys anyway.
   */
  isTaken: boolean;
  /** Of a key: what else it constrains. */
  constraint?: Constraint;
} & Limits;

type Limits = {
  models: readonly string[];
  allowedRoutes: readonly string[];
  expires: Date | null;
  maxBudget: number | null;
  tpmLimit: bigint | number | null;
  rpmLimit: bigint | number | null;
  maxParallelRequests: number | null;
};

/** What a write says of a key's limits; undefined says nothing. */
export type GivenLimits = { [Name in keyof Limits]?: Limits[Name] | undefined } & { modelAliases?: unknown };

/** Whose limits a key has to keep to, beside those of the key that is used. */
export type CeilingsOf = { userId: string | null; teamId: string | null };

const limitSelect = { maxBudget: true, tpmLimit: true, rpmLimit: true, maxParallelRequests: true } as const;
const noLimits: Limits = {
  models: [],
  allowedRoutes: [],
  expires: null,
  maxBudget: null,
  tpmLimit: null,
  rpmLimit: null,
  maxParallelRequests: null,
};

/**
 * What the actor has himself: by the key that he uses, as a user, and through the team. A proxy administrator is bound
 * for a key that acts as an administrator, and only by the key that he uses.
 */
export async function readCeilings(db: Db, actor: Actor, { userId, teamId }: CeilingsOf): Promise<Ceiling[]> {
  const ceilings: Ceiling[] = [];
  if (isProxyAdmin(actor) && !(await actsAsAdmin(db, userId))) return ceilings;
  if (actor.keyHash !== null) {
    const key = await findKey(db, actor.keyHash);
    if (key) ceilings.push(keyCeiling("the key that you use", key));
  }
  if (isProxyAdmin(actor)) return ceilings;
  const select = { ...limitSelect, models: true } as const;
  if (actor.userId !== null) {
    const user = await db.user.findUnique({ where: { id: actor.userId }, select });
    if (user) {
      ceilings.push({ ...noLimits, of: "your user", isTaken: true, models: user.models });
      ceilings.push({ ...noLimits, of: "your user", isTaken: false, ...user });
    }
  }
  const team = teamId === null ? null : await db.team.findUnique({ where: { id: teamId }, select });
  if (team) ceilings.push({ ...noLimits, of: "the team", isTaken: false, ...team });
  return ceilings;
}

/** What a key gives those whom it constrains. */
export function keyCeiling(of: Constraint["of"], key: StoredKey): Ceiling {
  const { models, allowedRoutes, expires, maxBudget, tpmLimit, rpmLimit, maxParallelRequests } = key;
  const limits = { models, allowedRoutes, expires, maxBudget, tpmLimit, rpmLimit, maxParallelRequests };
  return { ...limits, of, isTaken: true, constraint: { of, row: toKeyRow(key) } };
}

async function actsAsAdmin(db: Db, userId: string | null): Promise<boolean> {
  const user = userId === null ? null : await db.user.findUnique({ where: { id: userId }, select: { role: true } });
  return user?.role.startsWith("proxy_admin") ?? false;
}

/**
 * Throws 403, naming field and holder, where a write gives more than there is. An unlimited value is more than any limit
 * that `isTaken`. Aliases may not name a model behind the limits either.
 */
export function assertBelowCeilings(given: GivenLimits, ceilings: readonly Ceiling[]): void {
  for (const ceiling of ceilings) {
    for (const name of numbers) {
      const max = ceiling[name];
      const value = given[name];
      if (max === null || value === undefined) continue;
      if (value === null ? ceiling.isTaken : value > max) throw beyond(wireNames[name], ceiling, String(max));
    }
    for (const name of lists) {
      const held = ceiling[name];
      const value = given[name];
      if (held.length === 0 || value === undefined) continue;
      const isBeyond = value.length === 0 ? ceiling.isTaken : !value.every((entry) => isHeldIn[name](held, entry));
      if (isBeyond) throw beyond(wireNames[name], ceiling, `[${held.join(", ")}]`);
    }
    if (ceiling.expires !== null && given.expires !== undefined && (given.expires ?? forever) > ceiling.expires) {
      throw beyond(wireNames.expires, ceiling, ceiling.expires.toISOString());
    }
    assertAliases(given.modelAliases, ceiling);
  }
}

const forever = new Date(8.64e15);

function assertAliases(aliases: unknown, ceiling: Ceiling): void {
  if (ceiling.models.length === 0 || typeof aliases !== "object" || aliases === null) return;
  const isBeyond = Object.values(aliases).some((name) => !isHeld(ceiling.models, String(name)));
  if (isBeyond) throw beyond("aliases", ceiling, `[${ceiling.models.join(", ")}]`);
}

/** A new key's limits, with what the write leaves out taken from the ceilings that nothing else keeps to. */
export function withCeilings<Given extends GivenLimits>(given: Given, ceilings: readonly Ceiling[]): Given {
  const limits = { ...given };
  for (const ceiling of ceilings.filter(({ isTaken }) => isTaken)) {
    for (const name of numbers) {
      const max = ceiling[name];
      if (max !== null && (limits[name] ?? null) === null) Object.assign(limits, { [name]: max });
    }
    for (const name of lists) {
      if (ceiling[name].length > 0 && (limits[name] ?? []).length === 0) {
        Object.assign(limits, { [name]: [...ceiling[name]] });
      }
    }
    if (ceiling.expires !== null && (limits.expires ?? null) === null) limits.expires = ceiling.expires;
  }
  return limits;
}

const isHeldIn = { models: isHeld, allowedRoutes: isRouteHeld } as const;

const everything = ["*", "all-proxy-models", "all-team-models"];

/** Lists of models may hold `openai/*`, which holds what starts so. */
function isHeld(held: readonly string[], entry: string): boolean {
  return held.some((pattern) => {
    if (everything.includes(pattern)) return true;
    return pattern.endsWith("/*") ? entry.startsWith(pattern.slice(0, -1)) : pattern === entry;
  });
}

function beyond(param: string, { of }: Ceiling, limit: string): AppError {
  return new AppError("forbidden", `${param} is more than you may give: the limit of ${of} is ${limit}.`, { param });
}
