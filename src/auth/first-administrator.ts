import { randomBytes } from "node:crypto";
import type { Database } from "#lib/db.ts";
import { Email } from "#lib/email.ts";
import { newRecordId } from "#lib/id.ts";
import { inTransaction, lockName } from "#lib/in-transaction.ts";
import { hashPassword } from "#lib/password.ts";

/** The sign-in of the administrator that was made just now. */
export type FirstAdministrator = { email: string; password: string };

const emailDefault = "admin@sluice.local";

/**
 * Makes the first administrator where nobody can sign in as one yet, with the given sign-in or a generated password.
 * Null where there is one already; then nothing is changed.
 */
export async function ensureFirstAdministrator(
  db: Database["db"],
  given: { email: string | null; password: string | null },
): Promise<FirstAdministrator | null> {
  const where = { role: "proxy_admin", passwordHash: { not: null } } as const;
  if ((await db.user.count({ where })) > 0) return null;
  const email = Email.parse(given.email ?? emailDefault);
  const password = given.password ?? randomBytes(12).toString("base64url");
  const passwordHash = await hashPassword(password);
  return inTransaction(db, async (tx) => {
    // Two replicas that start together make one administrator.
    await lockName(tx, "first administrator");
    if ((await tx.user.count({ where })) > 0) return null;
    const data = { role: "proxy_admin", passwordHash };
    const create = { id: newRecordId(), email, ...data };
    await tx.user.upsert({ where: { email }, create, update: data, select: { id: true } });
    return { email, password };
  });
}
