import { z } from "zod";
import { configState } from "#lib/config.ts";
import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction, type Transaction } from "#lib/in-transaction.ts";
import { forgetKey } from "#keys/caller-cache.ts";
import { assertMayChangeKey, type WantedChange } from "#keys/assert-key-change.ts";
import { takeAlias } from "#keys/generate-key.ts";
import { mergeExtras, toKeyColumns } from "#keys/key-columns.ts";
import { assertBelowBounds } from "#keys/key-config.ts";
import { assertMorePrivate } from "#keys/key-privacy.ts";
import { findKey, keyColumns, KeyRow, toKeyRow, toToken, type StoredKey } from "#keys/key-row.ts";
import { type UpdateKey, type KeyFields } from "#keys/key.ts";
import { lockTeamRowId } from "#keys/team-id.ts";
import type { Actor } from "#keys/actor.ts";
import { writeAudit } from "#logging/audit.ts";
import { checkPlan } from "#logging/check-plan.ts";
import { fingerprint, planCallbacks, type CallbackPlan } from "#logging/plan-callbacks.ts";
import { Metadata, readLogging, type LoggingInput } from "#logging/read-logging.ts";
import { announceCallbacks, writeCallbacks } from "#logging/write-callbacks.ts";

/** A changed key, with the name that it was called by. */
export const UpdatedKey = KeyRow.extend({ key: z.string() }).meta({ id: "UpdatedKey" });
export type UpdatedKey = z.output<typeof UpdatedKey>;

/** What a write does to a key. */
export type KeyChange = {
  token: string;
  /** What to change; what is absent stays. */
  input: KeyFields;
  route: WantedChange["route"];
  /** Runs last in the same transaction, for what is more than an update; returns the key's token from then on. */
  finish?(tx: Transaction): Promise<{ action: "regenerate"; token: string }>;
};

/** A change, and the state of the key's callbacks that it was worked out for. */
type PlannedChange = KeyChange & {
  columns: ReturnType<typeof toKeyColumns>;
  logging: { said: LoggingInput; plan: CallbackPlan; planFor: string } | null;
  /** The key as it was when the actor's right was checked. */
  checkedFor: string;
};

/**
 * Changes what is given of a key and keeps the rest; `metadata` replaces the stored object, and with it the key's
 * callbacks. For who may change the key (`assertMayChangeKey`). Throws 404 for an unknown key and 400 for values that do
 * not fit. `key` is echoed as it was given.
 */
export async function updateKey(db: Database["db"], actor: Actor, input: UpdateKey): Promise<UpdatedKey> {
  return {
    key: input.key,
    ...(await changeKey(db, actor, { token: toToken(input.key), input, route: "/key/update" })),
  };
}

/** Carries out a change of a key in one transaction, and makes it hold for its next call. Throws as `updateKey`. */
export async function changeKey(db: Database["db"], actor: Actor, change: KeyChange): Promise<KeyRow> {
  const { token, input, route } = change;
  const now = new Date();
  assertBelowBounds(input, configState.get(), now);
  const columns = toKeyColumns(input, now);
  for (;;) {
    const stored = await findKey(db, token);
    const standing = await assertMayChangeKey(db, actor, { stored, input, limits: columns, route });
    if (!stored) throw unknownKey();
    const logging = planLogging(stored, input);
    if (standing === "owner" && stored.teamId !== null) {
      await assertMorePrivate(db, { teamId: stored.teamId, redaction: input.redaction, logging, stored });
    }
    if (logging) await checkPlan(logging.plan, actor);
    const planned = { ...change, columns, logging, checkedFor: rightsOf(stored) };
    const row = await inTransaction(db, (tx) => applyChange(tx, actor, planned));
    // Somebody else changed the key while this change was checked: work it out again.
    if (row === null) continue;
    forgetKey(token);
    if (row.token !== token) forgetKey(row.token);
    await announceCallbacks(planned.logging?.plan.removedIds ?? []);
    return row;
  }
}

/** The refusal of a key that does not exist. */
export function unknownKey(): AppError {
  return new AppError("not_found", "Key not found in database", { param: "key" });
}

function planLogging(stored: StoredKey, input: KeyFields): PlannedChange["logging"] {
  if (!input.metadata) return null;
  const said = readLogging(input.metadata);
  return { said, plan: planCallbacks(stored.callbacks, said.entries), planFor: fingerprint(stored.callbacks) };
}

/** All of a key that a right to change it may depend on, which is everything but what calls write. */
function rightsOf({ spend: _spend, budgetResetAt: _reset, updatedAt: _updated, callbacks: _own, ...key }: StoredKey) {
  return JSON.stringify(key, (_name, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}

async function applyChange(tx: Transaction, actor: Actor, change: PlannedChange): Promise<KeyRow | null> {
  const { token, input, columns, logging } = change;
  if (input.key_alias) await takeAlias(tx, input.key_alias, token);
  const teamId = input.team_id;
  const team =
    teamId === undefined ? {} : { teamId, teamRowId: teamId === null ? null : await lockTeamRowId(tx, teamId) };
  await tx.$queryRaw`SELECT 1 AS locked FROM "Key" WHERE token = ${token} FOR UPDATE`;
  const stored = await findKey(tx, token);
  if (!stored) throw unknownKey();
  if (rightsOf(stored) !== change.checkedFor) return null;
  if (logging && fingerprint(stored.callbacks) !== logging.planFor) return null;
  if (logging) await writeCallbacks(tx, { teamId: null, keyToken: token }, logging.plan);
  const metadata = logging?.said.metadata ?? Metadata.catch({}).parse(stored.metadata);
  await tx.key.update({
    where: { token },
    data: {
      ...columns,
      ...team,
      metadata: input.tags ? { ...metadata, tags: input.tags } : metadata,
      extras: mergeExtras(stored.extras, input),
      updatedBy: actor.userId,
      ...(logging ? { loggingState: logging.said.state } : {}),
    },
    select: { token: true },
  });
  const done = await change.finish?.(tx);
  const { action, token: objectId } = done ?? { action: "update", token };
  const after = toKeyRow(await tx.key.findUniqueOrThrow({ where: { token: objectId }, select: keyColumns }));
  await writeAudit(tx, actor, { action, objectType: "key", objectId, before: toKeyRow(stored), after });
  return after;
}
