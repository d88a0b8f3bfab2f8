import { z } from "zod";
import { countSignIn, forgiveSignIn } from "#auth/sign-in-limit.ts";
import type { Db } from "#lib/db.ts";
import { Email } from "#lib/email.ts";
import { verifyPassword } from "#lib/password.ts";

const Credentials = z.object({ email: Email, password: z.string().min(1).max(1024) });

/** What a try to sign in led to. */
export type SignInResult = { outcome: "signed_in"; userId: string } | { outcome: "wrong" | "too_many" };

/** Checks e-mail address and password. Somebody without an account gets the same answer, after the same time. */
export async function checkPassword(db: Db, given: unknown): Promise<SignInResult> {
  const credentials = Credentials.safeParse(given);
  if (!credentials.success) return { outcome: "wrong" };
  const { email, password } = credentials.data;
  if (!(await countSignIn(email))) return { outcome: "too_many" };
  // The hash is read to be compared, and goes no further.
  const user = await db.user.findUnique({ where: { email }, select: { id: true, passwordHash: true } });
  const isRight = await verifyPassword(password, user?.passwordHash ?? null);
  if (!user || !isRight) return { outcome: "wrong" };
  await forgiveSignIn(email);
  return { outcome: "signed_in", userId: user.id };
}
