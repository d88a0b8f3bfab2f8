import type { NextRequest } from "next/server";
import NextAuth from "next-auth";
import { authOptions } from "#auth/auth-options.ts";
import { isOwnHost, portalSettingsState } from "#auth/portal-settings.ts";

type Context = { params: Promise<{ nextauth: string[] }> };

/** Sign-in and sign-out. Refuses a request under an address that is not ours, since its links would lead there. */
async function handle(request: NextRequest, context: Context): Promise<Response> {
  const host = request.headers.get("x-forwarded-host") ?? request.headers.get("host") ?? "";
  const { url } = portalSettingsState.get();
  if (!isOwnHost(host, url)) {
    return Response.json({ error: "The portal is not served under this address. Set NEXTAUTH_URL." }, { status: 400 });
  }
  const isSecure = url === null ? request.headers.get("x-forwarded-proto") === "https" : url.protocol === "https:";
  const userAgent = request.headers.get("user-agent");
  // NextAuth is CommonJS without types of its own for this way to call it.
  const answer: unknown = await NextAuth(request, context, authOptions({ isSecure, userAgent }));
  if (answer instanceof Response) return answer;
  throw new Error("NextAuth gave no response.");
}

export { handle as GET, handle as POST };
