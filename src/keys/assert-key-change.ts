import { isDeepStrictEqual } from "node:util";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "#keys/actor.ts";
import { assertBelowCeilings, keyCeiling, readCeilings, type GivenLimits } from "#keys/key-ceilings.ts";
import { assertTightens, constraintsOf } from "#keys/key-field-rules.ts";
import { assertMaySetKeyFields } from "#keys/key-field-rights.ts";
import { notForOthers, standingFor, type KeyRoute, type Standing } from "#keys/key-rights.ts";
import { toKeyRow, type StoredKey } from "#keys/key-row.ts";
import type { KeyFields } from "#keys/key.ts";
import { masterUserId } from "#keys/master-user.ts";
import { isProxyAdmin, teamRoleOf } from "#keys/rights.ts";

/** A change of a key that is asked for. `limits` are the columns that it sets. */
export type WantedChange = {
  /** Null where there is no such key. */
  stored: StoredKey | null;
  input: KeyFields;
  limits: GivenLimits;
  route: Extract<KeyRoute, "/key/update" | "/key/regenerate">;
};

/**
 * Throws unless the actor may change this key so: his standing, the fields, whom and which team it would belong to, and
 * that it gets no more than he has. A key that there is not is refused to all but proxy administrators as a foreign one.
 */
export async function assertMayChangeKey(db: Db, actor: Actor, wanted: WantedChange): Promise<Standing> {
  const { stored, input, limits, route } = wanted;
  const refusal = new AppError("forbidden", "You are not allowed to change this key.", { param: "key" });
  const standing = await standingFor(db, actor, { owner: stored, route, refusal });
  if (stored === null) return standing;
  const { teamId = stored.teamId, userId = stored.userId } = { teamId: input.team_id, userId: input.user_id };
  if (!isProxyAdmin(actor)) {
    assertMaySetKeyFields(actor, input, toKeyRow(stored));
    if (userId !== stored.userId) assertMayGiveTo(actor, { userId, standing });
    if (teamId !== stored.teamId) await assertMayMoveTo(db, actor, teamId);
    if (standing === "owner" && stored.blocked === true && input.blocked !== undefined && input.blocked !== true) {
      throw new AppError("forbidden", "Only an administrator may unblock a key.", { param: "blocked" });
    }
    if (route === "/key/regenerate") assertMayLearn(actor, stored, refusal);
  }
  const ceilings = await readCeilings(db, actor, { userId, teamId });
  if (standing === "owner") ceilings.push(keyCeiling("this key", stored));
  const row = toKeyRow(stored);
  const isGivenAnew = userId !== stored.userId || teamId !== stored.teamId || route === "/key/regenerate";
  const { modelAliases, ...others } = limits;
  // Aliases that come back as they are shown give nothing.
  const changed = isDeepStrictEqual(modelAliases, row.aliases) ? others : limits;
  assertBelowCeilings(isGivenAnew ? { ...stored, ...changed } : changed, ceilings);
  for (const { constraint } of ceilings) {
    if (constraint) assertTightens(isGivenAnew ? { ...constraintsOf(row), ...input } : input, constraint);
  }
  return standing;
}

/** Whoever knows a key acts as its user, so nobody but an administrator gives it to somebody else. */
function assertMayGiveTo(actor: Actor, { userId, standing }: { userId: string | null; standing: Standing }): void {
  if (standing === "team_admin" && (userId === null || userId === actor.userId)) return;
  throw notForOthers();
}

async function assertMayMoveTo(db: Db, actor: Actor, teamId: string | null): Promise<void> {
  if (teamId !== null && (await teamRoleOf(db, actor, teamId)) === "admin") return;
  const message = "A key may be moved to teams that you administer.";
  throw new AppError("forbidden", message, { param: "team_id" });
}

/** A regenerated key is shown to whoever asked for it, who could act as its user. */
function assertMayLearn(actor: Actor, { userId }: StoredKey, refusal: AppError): void {
  if (userId !== null && userId !== masterUserId && userId !== actor.userId) throw refusal;
}
