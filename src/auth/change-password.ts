import { assertGoodPassword } from "#auth/invitation.ts";
import type { Session } from "#auth/session.ts";
import { countSignIn } from "#auth/sign-in-limit.ts";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { hashPassword, verifyPassword } from "#lib/password.ts";

/**
 * Changes the password of a signed-in user and ends his other sessions. Throws 400 for a wrong current password or a
 * short new one, and 429 after too many tries.
 */
export async function changePassword(
  db: Db,
  session: Session,
  { current, next }: { current: string; next: string },
): Promise<{ userId: string }> {
  const { id: sessionId, userId } = session;
  assertGoodPassword(next);
  if (!(await countSignIn(`user ${userId}`))) {
    throw new AppError("rate_limited", "Too many tries. Wait 15 minutes, then try again.");
  }
  // The hash is read to be compared, and goes no further.
  const user = await db.user.findUnique({ where: { id: userId }, select: { passwordHash: true } });
  if (!(await verifyPassword(current, user?.passwordHash ?? null))) {
    throw new AppError("bad_request", "The current password is wrong.", { param: "current" });
  }
  const passwordHash = await hashPassword(next);
  await db.user.update({ where: { id: userId }, data: { passwordHash }, select: { id: true } });
  await db.session.deleteMany({ where: { userId, id: { not: sessionId } } });
  return { userId };
}
