import { z } from "zod";
import type { Db } from "#lib/db.ts";

/** What a user may do in the whole gateway; what he may do in a team is his membership's `admin` or `user`. */
export const Role = z.enum(["proxy_admin", "proxy_admin_viewer", "internal_user", "internal_user_viewer"]);
export type Role = z.output<typeof Role>;

/**
 * Who acts. A bearer key and a session of the portal make the same actor, and every right follows from it (`rights.ts`):
 * a use case receives one and asks there.
 */
export type Actor = {
  /** `unknown`: acts as nobody, such as a team's key without a user. It reads its own key and team and writes nothing. */
  role: Role | "unknown";
  /** Whose rights these are; null for nobody. `default_user_id` stands for the holder of the master key alone. */
  userId: string | null;
  /** SHA-256 of the virtual key that was used; null for the master key and for a session. */
  keyHash: string | null;
  /** The team of that key; null for the master key and for a session. */
  teamId: string | null;
  /** Whom the `litellm-changed-by` header named, for the audit. */
  changedBy: string | null;
};

/** The role of a user; `unknown` where there is none. */
export async function readRole(db: Db, userId: string | null): Promise<Actor["role"]> {
  if (userId === null) return "unknown";
  const user = await db.user.findUnique({ where: { id: userId }, select: { role: true } });
  return user === null ? "unknown" : Role.or(z.literal("unknown")).catch("unknown").parse(user.role);
}

/** The actor that a signed-in user is. A user who does not exist any more acts as nobody. */
export async function actorOfUser(db: Db, userId: string): Promise<Actor> {
  const role = await readRole(db, userId);
  return { role, userId: role === "unknown" ? null : userId, keyHash: null, teamId: null, changedBy: null };
}
