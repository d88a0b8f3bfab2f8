import { z } from "zod";
import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction, lockName, type Transaction } from "#lib/in-transaction.ts";
import type { Actor } from "#keys/actor.ts";
import { forgetUser } from "#keys/caller-cache.ts";
import { isProxyAdmin, mayWrite } from "#keys/rights.ts";
import { writeAudit } from "#logging/audit.ts";
import type { UpdateUser, UserFields } from "#users/user.ts";
import { toUserColumns, toUserRows, unknownUser, userColumns, UserRow, type StoredUser } from "#users/user-row.ts";

/** What `POST /user/update` answers. */
export const UpdatedUser = z.object({ user_id: z.string(), data: UserRow });
export type UpdatedUser = z.output<typeof UpdatedUser>;

/** Whether users may write a field of themselves. A new field of the schema is a type error until somebody decides. */
export const userFieldRules: Readonly<Record<keyof UserFields, "own" | "operator">> = {
  user_alias: "own",
  // No limit and no right is read from it.
  metadata: "own",
  user_role: "operator",
  models: "operator",
  max_budget: "operator",
  soft_budget: "operator",
  budget_duration: "operator",
  tpm_limit: "operator",
  rpm_limit: "operator",
  max_parallel_requests: "operator",
  organization_id: "operator",
  sso_user_id: "operator",
  model_max_budget: "operator",
  model_rpm_limit: "operator",
  model_tpm_limit: "operator",
  guardrails: "operator",
  allowed_cache_controls: "operator",
  object_permission: "operator",
};
const ownFields = Object.entries(userFieldRules).flatMap(([name, rule]) => (rule === "own" ? [name] : []));

/**
 * Changes what is given of a user and keeps the rest. Proxy administrators change everybody, but not their own role
 * (400); others their own name and metadata, 403 for everything and everybody else, be he there or not.
 * Throws 404 to proxy administrators for an unknown user, and 400 for a taken address.
 */
export async function updateUser(db: Database["db"], actor: Actor, input: UpdateUser): Promise<UpdatedUser> {
  if (!isProxyAdmin(actor)) assertOwn(actor, input);
  const data = await inTransaction(db, (tx) => applyUpdate(tx, actor, input));
  forgetUser(data.user_id);
  return { user_id: data.user_id, data };
}

function assertOwn(actor: Actor, input: UpdateUser): void {
  if (!mayWrite(actor) || !input.user_id || input.user_id !== actor.userId) {
    throw new AppError("forbidden", "You may change yourself only.", { param: "user_id" });
  }
  const more = Object.keys(input).find((name) => name !== "user_id" && !ownFields.includes(name));
  if (more === undefined) return;
  throw new AppError("forbidden", `Only a proxy administrator may set ${more} of a user.`, { param: more });
}

async function applyUpdate(tx: Transaction, actor: Actor, input: UpdateUser): Promise<UserRow> {
  const stored = await lockUser(tx, input);
  if (stored.id === actor.userId && (input.user_role ?? stored.role) !== stored.role) {
    throw new AppError("bad_request", "You cannot change your own role.", { param: "user_role" });
  }
  const email = input.user_email;
  if (email && email !== stored.email) {
    await lockName(tx, `user email ${email}`);
    if (await tx.user.findUnique({ where: { email }, select: { id: true } })) {
      throw new AppError("bad_request", `User with email ${email} already exists`, { param: "user_email" });
    }
  }
  const columns = toUserColumns(input, { now: new Date(), extras: stored.extras });
  const data = { ...columns, ...(email ? { email } : {}) };
  const after = await tx.user.update({ where: { id: stored.id }, data, select: userColumns });
  const [before] = await toUserRows(tx, [stored]);
  const [row] = await toUserRows(tx, [after]);
  if (!before || !row) throw new Error("Every user has a row.");
  await writeAudit(tx, actor, { action: "update", objectType: "user", objectId: row.user_id, before, after: row });
  return row;
}

async function lockUser(tx: Transaction, { user_id: id, user_email: email }: UpdateUser): Promise<StoredUser> {
  const where = id ? { id } : { email: email ?? "" };
  const found = await tx.user.findUnique({ where, select: { id: true } });
  if (!found) throw unknownUser(id ?? email ?? "");
  await tx.$queryRaw`SELECT 1 AS locked FROM "User" WHERE id = ${found.id} FOR UPDATE`;
  return tx.user.findUniqueOrThrow({ where: { id: found.id }, select: userColumns });
}
