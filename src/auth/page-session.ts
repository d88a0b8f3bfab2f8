import { cookies, headers } from "next/headers";
import { redirect } from "next/navigation";
import { readSession, type Session } from "#auth/session.ts";
import { currentDb } from "#lib/database-state.ts";

/** The session of the page that is being rendered; null for a visitor. */
export async function readPageSession(): Promise<Session | null> {
  return readSession(currentDb(), (await cookies()).toString());
}

/** Sends a visitor to the sign-in, and from there back to the page that he wanted. */
export async function requirePageSession(): Promise<Session> {
  const session = await readPageSession();
  if (session) return session;
  const path = (await headers()).get("x-sluice-path") ?? "/portal";
  redirect(path === "/portal" ? "/portal/sign-in" : `/portal/sign-in?next=${encodeURIComponent(path)}`);
}
