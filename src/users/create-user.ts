import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction, lockName, type Transaction } from "#lib/in-transaction.ts";
import type { Actor } from "#keys/actor.ts";
import { forgetUser } from "#keys/caller-cache.ts";
import { generateKey } from "#keys/generate-key.ts";
import { GenerateKey } from "#keys/key.ts";
import { assertProxyAdmin } from "#keys/rights.ts";
import { writeAudit } from "#logging/audit.ts";
import { lockTeam, teamNotFound } from "#teams/team-row.ts";
import { deleteUsers } from "#users/delete-users.ts";
import type { CreateUser } from "#users/user.ts";
import { toUserColumns, toUserRow, userColumns, UserRow } from "#users/user-row.ts";

const text = z.string().nullable();

/** A new user and, where one was made with him, his key, which is shown this once. */
export const NewUser = UserRow.extend({
  key: text,
  key_name: text,
  key_alias: text,
  token: text,
  token_id: text,
  expires: text,
}).meta({ id: "NewUser" });
export type NewUser = z.output<typeof NewUser>;

/**
 * Makes a user, a member of the teams that are named, and unless `auto_create_key` is false a key that acts as him. For
 * proxy administrators. Throws 409 for a taken id, 400 for a taken address and values that do not fit, and 404 for an
 * unknown team; then nothing is made.
 */
export async function createUser(db: Database["db"], actor: Actor, input: CreateUser): Promise<NewUser> {
  assertProxyAdmin(actor, "make users");
  const userId = input.user_id ?? randomUUID();
  const user = await inTransaction(db, (tx) => insertUser(tx, actor, { userId, input }));
  forgetUser(userId);
  const made = input.auto_create_key === false ? null : await makeKey(db, actor, { userId, input });
  return {
    ...user,
    key: made?.key ?? null,
    key_name: made?.key_name ?? null,
    key_alias: made?.key_alias ?? null,
    token: made?.token ?? null,
    token_id: made?.token_id ?? null,
    expires: made?.expires ?? null,
  };
}

async function insertUser(
  tx: Transaction,
  actor: Actor,
  { userId, input }: { userId: string; input: CreateUser },
): Promise<UserRow> {
  const email = input.user_email ?? null;
  await lockName(tx, `user ${userId}`);
  if (email !== null) await lockName(tx, `user email ${email}`);
  const select = { id: true } as const;
  if (await tx.user.findUnique({ where: { id: userId }, select })) throw taken("conflict", "id", userId);
  if (email !== null && (await tx.user.findUnique({ where: { email }, select }))) {
    throw taken("bad_request", "email", email);
  }
  const columns = toUserColumns(input, { now: new Date(), extras: {} });
  const user = await tx.user.create({ data: { ...columns, id: userId, email }, select: userColumns });
  const teams = [...new Set(input.teams ?? [])].toSorted();
  for (const teamId of teams) {
    const team = await lockTeam(tx, teamId);
    if (!team) throw teamNotFound(teamId);
    const member = { teamId, userId, userEmail: email, role: "user" };
    // A team may have named him before he was made.
    await tx.teamMember.createMany({ data: [member], skipDuplicates: true });
  }
  const row = toUserRow(user, teams);
  await writeAudit(tx, actor, { action: "create", objectType: "user", objectId: userId, after: row });
  return row;
}

async function makeKey(db: Database["db"], actor: Actor, { userId, input }: { userId: string; input: CreateUser }) {
  const { key_alias, duration, aliases, allowed_routes, models } = input;
  try {
    const fields = { user_id: userId, key_alias, duration, aliases, allowed_routes, models };
    return await generateKey(db, actor, GenerateKey.parse(fields));
  } catch (error) {
    await deleteUsers(db, actor, [userId]);
    throw error;
  }
}

function taken(code: "conflict" | "bad_request", what: string, value: string): AppError {
  const message = `User with ${what} ${value} already exists`;
  return new AppError(code, message, { param: `user_${what}` });
}
