import { isIP } from "node:net";
import {
  findPrivateHosts,
  hasNamedAddress,
  isNamedAddress,
  isNamedHost,
  type PrivateHosts,
} from "#lib/address-private-hosts.ts";
import { isPublicAddress } from "#lib/address-public.ts";
import { resolveHost } from "#lib/address-resolver.ts";
import { AppError } from "#lib/errors.ts";

/** Where a connection would go. `host` is a name without a trailing dot, or an address without brackets. */
export type GuardedTarget = { protocol: string; host: string; port: number };

const lookupTimeoutMs = 3000;
const privateNames = ["localhost", "localdomain", "internal", "local", "home.arpa"];

/**
 * Checks a URL that a team, a key or a request set, without DNS: https on 443 to a public host, or what the operator
 * opened. Throws `bad_request` with the broken rule and the setting that would open the host. A name that only its
 * address could open is let through, because every connection is judged again.
 */
export function parseGuardedUrl(text: string, allowed: PrivateHosts = findPrivateHosts()): URL {
  const url = parseStrictUrl(text);
  const target = toTarget(url);
  const address = isIP(target.host) === 0 ? null : target.host;
  const refusal = findRefusal(target, address, allowed);
  if (refusal === null || (address === null && hasNamedAddress(allowed, target.port))) return url;
  throw refusedUrl(target, refusal);
}

/**
 * `parseGuardedUrl`, and where the name resolves now, each of its addresses is judged too. A name that does not
 * resolve within three seconds is accepted.
 */
export async function checkGuardedUrl(text: string, allowed: PrivateHosts = findPrivateHosts()): Promise<URL> {
  const url = parseGuardedUrl(text, allowed);
  const target = toTarget(url);
  if (isIP(target.host) !== 0) return url;
  const refusal = findRefusalOfAll(target, await findAddresses(target.host), allowed);
  if (refusal !== null) throw refusedUrl(target, refusal);
  return url;
}

/**
 * Why a connection to this target must not be made, or null where it may. `address` is what would be dialled, null
 * where it is not known yet. The text never holds the address.
 */
export function findRefusal(target: GuardedTarget, address: string | null, allowed: PrivateHosts): string | null {
  if (isNamedHost(allowed, target.host, target.port)) return null;
  if (address !== null && isNamedAddress(allowed, address, target.port)) return null;
  if (target.protocol !== "https:") return "only https is allowed";
  if (target.port !== 443) return "only port 443 is allowed";
  if (privateNames.some((name) => target.host === name || target.host.endsWith(`.${name}`))) {
    return "it is a name of a private network";
  }
  if (address === null || isPublicAddress(address)) return null;
  return address === target.host ? "it is not a public address" : "it resolves to an address that is not public";
}

/** The refusal of the first address that is refused: one bad address is enough, whichever would be dialled. */
export function findRefusalOfAll(
  target: GuardedTarget,
  addresses: readonly string[],
  allowed: PrivateHosts,
): string | null {
  for (const address of addresses) {
    const refusal = findRefusal(target, address, allowed);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** The target of a parsed http or https URL. */
export function toTarget(url: URL): GuardedTarget {
  const host = url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname.replace(/\.+$/, "");
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  return { protocol: url.protocol, host, port };
}

/** Parses only what needs no mending: a URL parser drops tabs, turns `\` into `/` and adds missing slashes. */
function parseStrictUrl(text: string): URL {
  if (/[\u0000-\u0020\u007f\\]/.test(text)) {
    throw new AppError("bad_request", "The URL holds a space, a control character or a backslash.");
  }
  if (!/^https?:\/\/[^/?#]/i.test(text)) {
    throw new AppError("bad_request", "The URL must start with https:// and a host.");
  }
  if (/^https?:\/\/[^/?#]*@/i.test(text)) {
    throw new AppError("bad_request", "The URL must not hold a user name or password.");
  }
  const url = URL.parse(text);
  if (url?.username !== "" || url.password !== "") throw new AppError("bad_request", "The URL is not valid.");
  const target = toTarget(url);
  if (target.host === "" || target.port === 0) throw new AppError("bad_request", "The URL is not valid.");
  if (!url.hostname.startsWith("[")) url.hostname = target.host;
  return url;
}

function refusedUrl(target: GuardedTarget, refusal: string): AppError {
  return new AppError(
    "bad_request",
    `The host "${target.host}" on port ${String(target.port)} is refused: ${refusal}. An operator can open it with ` +
      "general_settings.private_destination_hosts or SLUICE_PRIVATE_DESTINATION_HOSTS.",
  );
}

async function findAddresses(host: string): Promise<readonly string[]> {
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  const timer = setTimeout(() => {
    resolve([]);
  }, lookupTimeoutMs);
  resolveHost(host).then(resolve, () => {
    resolve([]);
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}
