import { decode, type JWT } from "next-auth/jwt";
import { z } from "zod";
import { portalSettingsState } from "#auth/portal-settings.ts";
import type { Db } from "#lib/db.ts";
import { newRecordId } from "#lib/id.ts";

/** How long a browser stays signed in. */
export const sessionSeconds = 7 * 86_400;

/** A signed-in browser, proved by its cookie and by the stored session. */
export type Session = { id: string; userId: string };

const Token = z.object({ sid: z.string().max(100), sub: z.string().max(256) });
const seenEveryMs = 5 * 60_000;

/** The cookie of the session; the prefix keeps a page on plain http from setting one for https. */
export function sessionCookieName(isSecure: boolean): string {
  return isSecure ? "__Secure-sluice.session" : "sluice.session";
}

/** Starts the session of a user who has just signed in. Returns its id, which the cookie carries. */
export async function startSession(db: Db, userId: string, userAgent: string | null): Promise<string> {
  const id = newRecordId();
  const expiresAt = new Date(Date.now() + sessionSeconds * 1000);
  await db.session.deleteMany({ where: { userId, expiresAt: { lt: new Date() } } });
  const data = { id, userId, userAgent: userAgent?.slice(0, 256) ?? null, expiresAt };
  await db.session.create({ data, select: { id: true } });
  return id;
}

/** Whose session a sealed token of the cookie is; null where it does not open, has ended, or its user is gone. */
export async function findSession(db: Db, sealedToken: string, now = new Date()): Promise<Session | null> {
  const opened = await decodeSession({ token: sealedToken });
  const token = Token.safeParse(opened);
  return token.success ? findStoredSession(db, { id: token.data.sid, userId: token.data.sub }, now) : null;
}

/** What a cookie holds that one of our secrets encrypted; null if it is none. */
export async function decodeSession({ token }: { token?: string | undefined }): Promise<JWT | null> {
  if (token === undefined) return null;
  const { secret, formerSecrets = [] } = portalSettingsState.get();
  for (const one of [secret, ...formerSecrets]) {
    const opened = await decode({ token, secret: one }).catch(() => null);
    if (opened !== null) return opened;
  }
  return null;
}

/** The session where it is stored, still runs and belongs to this user. */
export async function findStoredSession(db: Db, { id, userId }: Session, now = new Date()): Promise<Session | null> {
  const select = { userId: true, expiresAt: true, lastSeenAt: true } as const;
  const stored = await db.session.findUnique({ where: { id }, select });
  if (stored?.userId !== userId || stored.expiresAt <= now) return null;
  const user = await db.user.findUnique({ where: { id: userId }, select: { id: true } });
  if (user === null) return null;
  if (now.getTime() - stored.lastSeenAt.getTime() > seenEveryMs) {
    await db.session.updateMany({ where: { id }, data: { lastSeenAt: now } });
  }
  return { id, userId };
}

/** Reads the session of a request from its Cookie header; null where it carries none that holds. */
export async function readSession(db: Db, cookieHeader: string | null): Promise<Session | null> {
  for (const isSecure of [true, false]) {
    const token = readCookie(cookieHeader ?? "", sessionCookieName(isSecure));
    const session = token === null ? null : await findSession(db, token);
    if (session) return session;
  }
  return null;
}

function readCookie(header: string, name: string): string | null {
  const pairs = header.split(";").map((pair) => pair.trim());
  const pair = pairs.find((candidate) => candidate.startsWith(`${name}=`));
  return pair?.slice(name.length + 1) ?? null;
}
