import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { AppError } from "#lib/errors.ts";
import { stateCell } from "#lib/state.ts";

type Range = { network: [ipaddr.IPv4 | ipaddr.IPv6, number]; port: number | null };

/** What the operator opened: names by host, addresses by range; each with one port, or `null` for any. */
export type PrivateHosts = {
  names: ReadonlyMap<string, ReadonlySet<number | null>>;
  ranges: readonly Range[];
};

/** What the operator of this process opened. Nothing, where it was never set. */
export const privateHostsState = stateCell<PrivateHosts>("privateHosts");

const nothing: PrivateHosts = { names: new Map(), ranges: [] };

/** What the operator of this process opened, or nothing. */
export function findPrivateHosts(): PrivateHosts {
  return privateHostsState.find() ?? nothing;
}

/**
 * Parses `host`, `host:port`, IP, `IP:port`, `[v6]:port` and CIDR entries; blank ones are skipped. Throws
 * `bad_request` with the name of the first entry that is none of these.
 */
export function parsePrivateHosts(entries: readonly string[]): PrivateHosts {
  const names = new Map<string, Set<number | null>>();
  const ranges: Range[] = [];
  for (const entry of entries.map((each) => each.trim()).filter((each) => each !== "")) {
    const network = findNetwork(entry);
    if (network) {
      ranges.push({ network, port: null });
      continue;
    }
    const { host, port } = splitEntry(entry);
    const address = findNetwork(host);
    if (address) {
      ranges.push({ network: address, port });
      continue;
    }
    const name = toHostName(host) ?? refuse(entry);
    names.set(name, (names.get(name) ?? new Set()).add(port));
  }
  return { names, ranges };
}

/** True where an entry names this very host, on this port or on any. */
export function isNamedHost(allowed: PrivateHosts, host: string, port: number): boolean {
  const ports = allowed.names.get(host);
  return ports !== undefined && (ports.has(port) || ports.has(null));
}

/** True where an entry names this address by itself or by a range, on this port or on any. */
export function isNamedAddress(allowed: PrivateHosts, address: string, port: number): boolean {
  if (allowed.ranges.length === 0 || isIP(address) === 0 || address.includes("%")) return false;
  const parsed = ipaddr.parse(address);
  return allowed.ranges.some(
    (range) =>
      (range.port === null || range.port === port) &&
      range.network[0].kind() === parsed.kind() &&
      parsed.match(range.network),
  );
}

/** True where some address could be open on this port. */
export function hasNamedAddress(allowed: PrivateHosts, port: number): boolean {
  return allowed.ranges.some((range) => range.port === null || range.port === port);
}

function findNetwork(text: string): Range["network"] | null {
  const slash = text.indexOf("/");
  const address = slash === -1 ? text : text.slice(0, slash);
  if (isIP(address) === 0 || address.includes("%")) return null;
  const bitsMax = isIP(address) === 4 ? 32 : 128;
  if (slash === -1) return [ipaddr.parse(address), bitsMax];
  const bits = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > bitsMax) return null;
  return [ipaddr.parse(address), Number(bits)];
}

function splitEntry(entry: string): { host: string; port: number | null } {
  const match = /^(?:\[([^\]]*)\]|([^:[\]/]+))(?::(\d{1,5}))?$/.exec(entry);
  const host = match?.[1] ?? match?.[2] ?? refuse(entry);
  if (match?.[1] !== undefined && isIP(host) !== 6) refuse(entry);
  const port = match?.[3] === undefined ? null : Number(match[3]);
  if (port !== null && (port < 1 || port > 65_535)) refuse(entry);
  return { host, port };
}

/** The name as a URL would hold it, or null where it is no name (a URL turns `0x7f.1` into an address). */
function toHostName(text: string): string | null {
  const url = URL.parse(`http://${text}`);
  if (!url || /[@?#\\\s]/.test(text)) return null;
  const name = url.hostname.replace(/\.+$/, "");
  return name === "" || name.startsWith("[") || isIP(name) !== 0 || !/^[a-z0-9._-]+$/.test(name) ? null : name;
}

function refuse(entry: string): never {
  throw new AppError(
    "bad_request",
    `"${entry}" is no entry of general_settings.private_destination_hosts (SLUICE_PRIVATE_DESTINATION_HOSTS): ` +
      "write host, host:port, IP, IP:port, [IPv6]:port or CIDR, without a scheme.",
    { param: "private_destination_hosts" },
  );
}
