import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { Database, Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { sha256Hex } from "#lib/id.ts";
import { inTransaction } from "#lib/in-transaction.ts";
import { hashPassword, passwordLengthMin } from "#lib/password.ts";

const validMs = 7 * 86_400_000;

/** The secret of an invitation, which is shown once, and until when it may be used. */
export type NewInvitation = { secret: string; expiresAt: Date };

/** Makes a link's secret for a user; every earlier one of the same user ends. */
export async function createInvitation(
  tx: Db,
  { userId, createdBy }: { userId: string; createdBy: string | null },
): Promise<NewInvitation> {
  const secret = randomBytes(24).toString("base64url");
  const expiresAt = new Date(Date.now() + validMs);
  await tx.invitation.deleteMany({ where: { userId } });
  await tx.invitation.create({
    data: { tokenHash: sha256Hex(secret), userId, createdBy, expiresAt },
    select: { tokenHash: true },
  });
  return { secret, expiresAt };
}

/**
 * The same for a member whom a team's administrator has added; null where he must ask a proxy administrator instead. The
 * link is as good as the account, so it is made only for one that nothing but this membership has touched yet.
 */
export async function inviteMember(
  db: Db,
  { userId, createdBy }: { userId: string; createdBy: string | null },
): Promise<NewInvitation | null> {
  // Whether there is a hash is all that is asked of it.
  const select = { email: true, role: true, passwordHash: true, extras: true } as const;
  const user = await db.user.findUnique({ where: { id: userId }, select });
  const isOpen = user?.passwordHash === null && !isBound(user.extras);
  const isNew = user?.email && isOpen && user.role.startsWith("internal_user");
  if (!isNew) return null;
  const memberships = await db.teamMember.count({ where: { userId } });
  const keys = await db.key.count({ where: { userId } });
  return memberships === 1 && keys === 0 ? createInvitation(db, { userId, createdBy }) : null;
}

/** Whether the provider has proved once who the account's person is. */
function isBound(extras: unknown): boolean {
  const { sso_user_id: bound = null } = z.object({ sso_user_id: z.json().optional() }).catch({}).parse(extras);
  return bound !== null;
}

/** Whose invitation a secret is; null where there is none, it has ended, or its user is gone. */
export async function findInvitation(db: Db, secret: string): Promise<{ userId: string; email: string } | null> {
  const select = { userId: true, expiresAt: true } as const;
  const invitation = await db.invitation.findUnique({ where: { tokenHash: sha256Hex(secret) }, select });
  if (!invitation || invitation.expiresAt <= new Date()) return null;
  const user = await db.user.findUnique({ where: { id: invitation.userId }, select: { email: true } });
  return user?.email ? { userId: invitation.userId, email: user.email } : null;
}

/**
 * Sets the password of an invitation's user, once, and ends every session that he had. Returns his e-mail address.
 * Throws 404 for a secret that leads nowhere and 400 for a short password.
 */
export async function acceptInvitation(
  db: Database["db"],
  { secret, password }: { secret: string; password: string },
): Promise<string> {
  assertGoodPassword(password);
  const passwordHash = await hashPassword(password);
  return inTransaction(db, async (tx) => {
    const found = await findInvitation(tx, secret);
    const used = await tx.invitation.deleteMany({ where: { tokenHash: sha256Hex(secret) } });
    if (!found || used.count === 0) {
      throw new AppError("not_found", "This link has been used, has ended, or was never made. Ask for a new one.");
    }
    await tx.user.update({ where: { id: found.userId }, data: { passwordHash }, select: { id: true } });
    await tx.session.deleteMany({ where: { userId: found.userId } });
    return found.email;
  });
}

/** Throws 400 for a password that is too short. */
export function assertGoodPassword(password: string): void {
  if (password.length >= passwordLengthMin) return;
  const message = `The password is too short: at least ${String(passwordLengthMin)} characters.`;
  throw new AppError("bad_request", message, { param: "password" });
}
