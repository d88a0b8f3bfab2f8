import type { Session } from "#auth/session.ts";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";

/** A signed-in browser as its user sees it. */
export type ShownSession = {
  id: string;
  /** The browser's own name; null where it gave none. */
  userAgent: string | null;
  createdAt: string;
  lastSeenAt: string;
  isThis: boolean;
};

/** Lists where a user is signed in, the last used first. */
export async function listSessions(db: Db, { id, userId }: Session): Promise<ShownSession[]> {
  const rows = await db.session.findMany({
    where: { userId, expiresAt: { gt: new Date() } },
    orderBy: { lastSeenAt: "desc" },
    take: 100,
    select: { id: true, userAgent: true, createdAt: true, lastSeenAt: true },
  });
  return rows.map((row) => ({
    id: row.id,
    userAgent: row.userAgent,
    createdAt: row.createdAt.toISOString(),
    lastSeenAt: row.lastSeenAt.toISOString(),
    isThis: row.id === id,
  }));
}

/** Ends one of the user's own sessions; its next request is refused. Throws 404 for one that is not his. */
export async function endSession(db: Db, { userId }: Session, id: string): Promise<{ id: string }> {
  const { count } = await db.session.deleteMany({ where: { id, userId } });
  if (count === 0) throw new AppError("not_found", "There is no such session.", { param: "id" });
  return { id };
}
