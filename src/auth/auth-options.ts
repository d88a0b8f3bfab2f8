import type { AuthOptions } from "next-auth";
import Credentials from "next-auth/providers/credentials";
import { checkPassword } from "#auth/check-password.ts";
import { joinByOidc } from "#auth/join-by-oidc.ts";
import { oidcProvider, oidcProviderId } from "#auth/oidc-provider.ts";
import { portalSettingsState } from "#auth/portal-settings.ts";
import { decodeSession, findStoredSession, sessionCookieName, sessionSeconds, startSession } from "#auth/session.ts";
import { currentDb } from "#lib/database-state.ts";

/** What the sign-in page gets back in the place of an error. */
export const tooManyTries = "too_many_tries";

/** Where sign-in at the provider leads whom it opens no account; the page says why. */
const oidcRefusals = {
  unverified: "/portal/sign-in?error=unverified_email",
  other_person: "/portal/sign-in?error=other_person",
} as const;

/** What the options depend on: whether the request came over https, and the browser's own name. */
export type AuthRequest = { isSecure: boolean; userAgent: string | null };

/** NextAuth's options for one request. */
export function authOptions({ isSecure, userAgent }: AuthRequest): AuthOptions {
  const { secret, oidc } = portalSettingsState.get();
  const cookie = { httpOnly: true, sameSite: "lax", path: "/", secure: isSecure } as const;
  return {
    secret,
    session: { strategy: "jwt", maxAge: sessionSeconds },
    jwt: { decode: decodeSession },
    useSecureCookies: isSecure,
    cookies: { sessionToken: { name: sessionCookieName(isSecure), options: cookie } },
    pages: { signIn: "/portal/sign-in", signOut: "/portal/sign-in", error: "/portal/sign-in" },
    logger: { error: () => undefined, warn: () => undefined, debug: () => undefined },
    providers: [
      Credentials({
        credentials: { email: {}, password: {} },
        async authorize(given) {
          const result = await checkPassword(currentDb(), given);
          if (result.outcome === "too_many") throw new Error(tooManyTries);
          return result.outcome === "signed_in" ? { id: result.userId } : null;
        },
      }),
      ...(oidc === null ? [] : [oidcProvider(oidc)]),
    ],
    callbacks: {
      async signIn({ user, account, profile }) {
        if (account?.provider !== oidcProviderId) return true;
        const result = await joinByOidc(currentDb(), profile);
        if (result.outcome !== "joined") return oidcRefusals[result.outcome];
        // The session that follows is of this account.
        user.id = result.userId;
        return true;
      },
      async jwt({ token, user, trigger }) {
        const db = currentDb();
        if (trigger === "signIn") return { sub: user.id, sid: await startSession(db, user.id, userAgent) };
        const given = { id: String(token.sid), userId: String(token.sub) };
        return (await findStoredSession(db, given)) ? token : {};
      },
      session: ({ session }) => ({ expires: session.expires }),
    },
    events: {
      async signOut({ token }) {
        await currentDb().session.deleteMany({ where: { id: String(token.sid) } });
      },
    },
  };
}
