import { readSession, type Session } from "#auth/session.ts";
import { readBearer } from "#http/bearer.ts";
import { actorOfUser, type Actor } from "#keys/actor.ts";
import { verifyKey } from "#keys/verify-key.ts";
import { currentDb, type Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { newRecordId } from "#lib/id.ts";

/** What a procedure gets: the database, and who calls. */
export type Context = {
  db: Database["db"];
  /** Null: nobody. */
  actor: Actor | null;
  /** The route limits of the key; empty for a key without them and for a session. */
  allowedRoutes: readonly string[];
  /** The browser's session; null for a tool with a key. */
  session: Session | null;
  requestId: string;
};

/**
 * Finds out who calls: a tool by its bearer key, a browser by its session. A session counts only for requests of our
 * own pages, so that a foreign page cannot use it. Throws 401 for a key that does not hold and 403 for a foreign page.
 */
export async function createContext(request: Request): Promise<Context> {
  const db = currentDb();
  const requestId = newRecordId();
  const bearer = readBearer(request.headers);
  if (bearer !== null) {
    const { role, userId, keyHash, teamId, allowedRoutes } = await verifyKey(db, bearer);
    const actor = { role, userId, keyHash, teamId, changedBy: null };
    return { db, actor, allowedRoutes, session: null, requestId };
  }
  const session = await readSession(db, request.headers.get("cookie"));
  if (session === null) return { db, actor: null, allowedRoutes: [], session, requestId };
  assertOwnPage(request);
  return { db, actor: await actorOfUser(db, session.userId), allowedRoutes: [], session, requestId };
}

/** Browsers say where a request comes from; one that changes something must say so and be ours. */
function assertOwnPage({ headers, method, url }: Request): void {
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin");
  const host = headers.get("host") ?? new URL(url).host;
  const isForeign =
    (origin !== null && URL.parse(origin)?.host !== host) ||
    (site !== null && site !== "same-origin" && site !== "none") ||
    (method !== "GET" && origin === null && site === null) ||
    (method !== "GET" && !/^application\/json\b/i.test(headers.get("content-type") ?? ""));
  if (isForeign) throw new AppError("forbidden", "This request does not come from a page of the portal.");
}
