import { stateCell } from "#lib/state.ts";

/** The OpenID Connect provider at which people may sign in, and what it knows us by. */
export type OidcSettings = { issuer: string; clientId: string; clientSecret: string };

/** What sign-in needs to know of this process. */
export type PortalSettings = {
  /** Encrypts the session cookies. */
  secret: string;
  /** Cookies that these encrypted are valid, too; absent: none. */
  formerSecrets?: readonly string[];
  /** The address under which people reach the portal; null: loopback and literal addresses only. */
  url: URL | null;
  /** Null: by e-mail address and password alone. */
  oidc: OidcSettings | null;
};

/** Set by the server before it listens. */
export const portalSettingsState = stateCell<PortalSettings>("portal-settings");

/**
 * Whether this is one of our own addresses: that of `NEXTAUTH_URL`, and without it `localhost` and literal addresses,
 * which no foreign name server can point at us. `host` is a Host header, with its port.
 */
export function isOwnHost(host: string, url: URL | null = portalSettingsState.get().url): boolean {
  if (url !== null) return host.toLowerCase() === url.host;
  return /^(localhost|(\d{1,3}\.){3}\d{1,3}|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.test(host);
}
