import type { OAuthConfig } from "next-auth/providers/oauth";
import type { OidcSettings } from "#auth/portal-settings.ts";

/** The provider's name in sign-in's addresses: `/api/auth/callback/oidc`. */
export const oidcProviderId = "oidc";

const answerTimeoutMs = 10_000;

/**
 * The OpenID Connect provider that the settings name. Its statement is taken from the signed ID token, for our client
 * alone, and only in answer to a request of this very browser (state, nonce, PKCE).
 */
export function oidcProvider({ issuer, clientId, clientSecret }: OidcSettings): OAuthConfig<Record<string, unknown>> {
  return {
    id: oidcProviderId,
    name: "Single sign-on",
    type: "oauth",
    issuer,
    wellKnown: `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`,
    clientId,
    clientSecret,
    idToken: true,
    checks: ["pkce", "state", "nonce"],
    authorization: { params: { scope: "openid email profile" } },
    httpOptions: { timeout: answerTimeoutMs },
    // Who it is here is asked of the database, by what the token says.
    profile: (claims) => ({ id: String(claims["sub"]) }),
  };
}
