import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Addresses of the public IPv4 space that a cloud answers from inside its own network (Azure's platform address). */
const innerAddresses = new Set(["168.63.129.16"]);

/** The only IPv6 space that IANA has opened for global unicast (RFC 3513). */
const globalUnicast = ipaddr.IPv6.parseCIDR("2000::/3");

/**
 * True where an address, written in its plain form, is one of the public internet. Private, loopback, link-local,
 * multicast, carrier-grade, documentation, benchmarking, reserved and metadata addresses are not, and neither is any
 * IPv6 form that carries an IPv4 address inside (mapped, compatible, NAT64, 6to4, Teredo, ISATAP).
 */
export function isPublicAddress(address: string): boolean {
  // ipaddr.js also reads octal, hexadecimal and short forms; an address that was resolved or normalised has none.
  if (isIP(address) === 0 || address.includes("%") || innerAddresses.has(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== "unicast") return false;
  if (!(parsed instanceof ipaddr.IPv6)) return true;
  return parsed.match(globalUnicast) && !isIsatap(parsed.parts);
}

/** RFC 5214: the interface identifier is `[0|2]00:5efe` and an IPv4 address. */
function isIsatap(parts: readonly number[]): boolean {
  return parts[5] === 0x5efe && (parts[4] === 0 || parts[4] === 0x200);
}
