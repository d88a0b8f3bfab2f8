import { z } from "zod";
import type { Database, Db } from "#lib/db.ts";
import { Email } from "#lib/email.ts";
import { newRecordId, sha256Hex } from "#lib/id.ts";
import { inTransaction, lockName } from "#lib/in-transaction.ts";

/** What a provider's proved statement must say of a person before it can be an account here. */
const Claims = z.object({
  iss: z.string().min(1).max(2_000),
  sub: z.string().min(1).max(256),
  email: z.string(),
  email_verified: z.union([z.literal(true), z.literal("true")]),
  name: z.string().max(256).optional().catch(undefined),
});

/** Whose account a statement opens, or why it opens none. */
export type OidcResult = { outcome: "joined"; userId: string } | { outcome: "unverified" | "other_person" };

/**
 * Finds the account of a person whom the provider has proved, by verified e-mail address, and makes one for a new
 * person. At the first time the account is bound to the provider's subject: an address that is given to somebody else
 * later does not open it. What could open an account that others prepared (its invitations, a password that is not an
 * administrator's, earlier sessions) ends with the binding.
 */
export async function joinByOidc(db: Database["db"], given: unknown): Promise<OidcResult> {
  const claims = Claims.safeParse(given);
  const address = Email.safeParse(claims.data?.email);
  if (!claims.success || !address.success) return { outcome: "unverified" };
  const email = address.data;
  const subject = toSubject(claims.data);
  return inTransaction(db, async (tx) => {
    // Two browsers of a new person make one account.
    await lockName(tx, `user email ${email}`);
    const user = await tx.user.findUnique({ where: { email }, select: { id: true, role: true, extras: true } });
    if (user === null) {
      const data = { id: newRecordId(), email, alias: claims.data.name ?? null, extras: { sso_user_id: subject } };
      const { id } = await tx.user.create({ data, select: { id: true } });
      return { outcome: "joined", userId: id };
    }
    const extras = z.record(z.string(), z.json()).catch({}).parse(user.extras);
    const bound = extras["sso_user_id"] ?? null;
    if (bound === subject) return { outcome: "joined", userId: user.id };
    if (bound !== null) return { outcome: "other_person" };
    await bind(tx, user, { ...extras, sso_user_id: subject });
    return { outcome: "joined", userId: user.id };
  });
}

/** A provider's name for a person, which no other provider can give. */
function toSubject({ iss, sub }: { iss: string; sub: string }): string {
  return `oidc:${sha256Hex(`${iss}\n${sub}`)}`;
}

type Bound = { id: string; role: string };
type Extras = Record<string, z.output<ReturnType<typeof z.json>>>;

async function bind(tx: Db, { id, role }: Bound, extras: Extras): Promise<void> {
  // Administrators keep theirs, for the day on which the provider cannot be reached; only they can make each other.
  const others = role === "proxy_admin" ? {} : { passwordHash: null };
  await tx.user.update({ where: { id }, data: { extras, ...others }, select: { id: true } });
  await tx.invitation.deleteMany({ where: { userId: id } });
  await tx.session.deleteMany({ where: { userId: id } });
}
