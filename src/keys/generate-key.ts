import { z } from "zod";
import { configState } from "#lib/config.ts";
import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { newVirtualKey, sha256Hex } from "#lib/id.ts";
import { inTransaction, lockName, type Transaction } from "#lib/in-transaction.ts";
import { isMasterKeyHash } from "#lib/master-key.ts";
import { forgetKey } from "#keys/caller-cache.ts";
import { mergeExtras, toKeyColumns } from "#keys/key-columns.ts";
import { assertBelowCeilings, readCeilings, withCeilings, type Ceiling } from "#keys/key-ceilings.ts";
import { assertBelowBounds, withKeyDefaults } from "#keys/key-config.ts";
import { assertMaySetKeyFields } from "#keys/key-field-rights.ts";
import { assertTightens, inheritFields } from "#keys/key-field-rules.ts";
import { assertMorePrivate } from "#keys/key-privacy.ts";
import { standingForNew } from "#keys/key-rights.ts";
import { keyColumns, KeyRow, toKeyRow } from "#keys/key-row.ts";
import { type GenerateKey } from "#keys/key.ts";
import { masterUserId } from "#keys/master-user.ts";
import { isProxyAdmin } from "#keys/rights.ts";
import { lockTeamRowId } from "#keys/team-id.ts";
import { maskedKey } from "#keys/verify-key.ts";
import type { Actor } from "#keys/actor.ts";
import { writeAudit } from "#logging/audit.ts";
import { checkPlan } from "#logging/check-plan.ts";
import { planCallbacks } from "#logging/plan-callbacks.ts";
import { readLogging } from "#logging/read-logging.ts";
import { announceCallbacks, writeCallbacks } from "#logging/write-callbacks.ts";

/** A new key: its row, and the key in clear, which is shown this once. */
export const GeneratedKey = KeyRow.extend({
  key: z.string().describe("The key in clear. It is shown this once."),
  token_id: z.string().describe("The same as `token`."),
}).meta({ id: "GeneratedKey" });
export type GeneratedKey = z.output<typeof GeneratedKey>;

/** What to make: an application's key belongs to its team and to no user. */
export type NewKey = { input: GenerateKey; isServiceAccount: boolean };

/**
 * Makes a virtual key and its callbacks in one transaction. Proxy administrators make every key, others their own and
 * those of teams that they administer, with no more than they have themselves (403). Throws 400 for a malformed or taken
 * key or alias, for values over the operator's bounds, and for callbacks that do not fit.
 */
export function generateKey(db: Database["db"], actor: Actor, input: GenerateKey): Promise<GeneratedKey> {
  return createKey(db, actor, { input, isServiceAccount: false });
}

/** `generateKey`, also for a key without a user. */
export async function createKey(
  db: Database["db"],
  actor: Actor,
  { input, isServiceAccount }: NewKey,
): Promise<GeneratedKey> {
  const now = new Date();
  const config = configState.get();
  const asked = withKeyDefaults(input, config);
  assertBelowBounds(asked, config, now);
  assertMaySetKeyFields(actor, input);
  const owner = { teamId: asked.team_id ?? null, userId: isServiceAccount ? null : userOfNew(actor, asked) };
  const route = isServiceAccount ? "/key/service-account/generate" : "/key/generate";
  const standing = await standingForNew(db, actor, { owner, route });
  const ceilings = await readCeilings(db, actor, owner);
  const fields = withConstraints(asked, ceilings);
  const columns = withCeilings(toKeyColumns(fields, now), ceilings);
  assertBelowCeilings(columns, ceilings);
  const key = fields.key ?? newVirtualKey();
  const token = tokenOfNew(key, "key");
  const logging = readLogging(fields.metadata ?? {});
  const plan = planCallbacks([], logging.entries);
  const data = {
    ...columns,
    ...owner,
    token,
    keyName: keyNameOf(key),
    loggingState: logging.state,
    metadata: fields.tags ? { ...logging.metadata, tags: fields.tags } : logging.metadata,
    extras: mergeExtras({}, fields),
    createdBy: actor.userId,
    updatedBy: actor.userId,
  };
  if (standing === "owner" && owner.teamId !== null) {
    const { redaction } = fields;
    await assertMorePrivate(db, { teamId: owner.teamId, redaction, logging: { said: logging, plan }, stored: null });
  }
  await checkPlan(plan, actor);
  const row = await inTransaction(db, async (tx) => {
    if (fields.key_alias) await takeAlias(tx, fields.key_alias, token);
    await takeToken(tx, token, "key");
    const teamRowId = data.teamId === null ? null : await lockTeamRowId(tx, data.teamId);
    await tx.key.create({ data: { ...data, teamRowId }, select: { token: true } });
    await writeCallbacks(tx, { teamId: null, keyToken: token }, plan);
    const made = toKeyRow(await tx.key.findUniqueOrThrow({ where: { token }, select: keyColumns }));
    await writeAudit(tx, actor, { action: "create", objectType: "key", objectId: token, after: made });
    return made;
  });
  forgetKey(token);
  await announceCallbacks([]);
  return { key, ...row, token_id: token };
}

/** What is asked for, with what the key in use constrains. Throws 403 for what is looser than that. */
function withConstraints(asked: GenerateKey, ceilings: readonly Ceiling[]): GenerateKey {
  let fields = asked;
  for (const { constraint } of ceilings) {
    if (constraint === undefined) continue;
    fields = inheritFields(fields, constraint);
    assertTightens(fields, constraint);
  }
  return fields;
}

/**
 * Whom a new key belongs to: its maker where nobody is named. What a proxy administrator makes for a team is not his: a
 * team's application would act with his rights.
 */
function userOfNew(actor: Actor, { user_id: userId, team_id: teamId }: GenerateKey): string | null {
  if (userId) return userId;
  return isProxyAdmin(actor) && actor.userId !== masterUserId && teamId ? null : actor.userId;
}

/** Throws 400 where another key has the alias; nobody else takes it before the transaction ends. */
export async function takeAlias(tx: Transaction, alias: string, token: string): Promise<void> {
  await lockName(tx, `key alias ${alias}`);
  const holder = await tx.key.findUnique({ where: { alias }, select: { token: true } });
  if (!holder || holder.token === token) return;
  const message = `Key with alias '${alias}' already exists. Unique key aliases across all keys are required.`;
  throw new AppError("bad_request", message, { param: "key_alias" });
}

/** Throws 400 where another key has the token, or had it before it was regenerated. */
export async function takeToken(tx: Transaction, token: string, param: string): Promise<void> {
  await lockName(tx, `key ${token}`);
  const select = { token: true } as const;
  const holder =
    (await tx.key.findUnique({ where: { token }, select })) ??
    (await tx.formerToken.findUnique({ where: { token }, select }));
  if (holder) throw new AppError("bad_request", "This key already exists. Choose another one.", { param });
}

/** The hash of a key that is about to be made. Throws 400 for a malformed one, with `param`. */
export function tokenOfNew(key: string, param: string): string {
  if (!/^sk-[\x21-\x7e]+$/.test(key)) {
    const message = `Invalid key format. LiteLLM Virtual Key must start with 'sk-'. Received: ${maskedKey(key)}`;
    throw new AppError("bad_request", message, { param });
  }
  const token = sha256Hex(key);
  if (!isMasterKeyHash(token)) return token;
  throw new AppError("bad_request", "The master key cannot be a virtual key.", { param });
}

/** What answers show of a key. */
export function keyNameOf(key: string): string {
  return `sk-...${key.slice(-4)}`;
}
