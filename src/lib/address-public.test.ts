import { expect, test } from "vitest";
import { isPublicAddress } from "#lib/address-public.ts";

test.each(["8.8.8.8", "93.184.216.34", "99.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001:80e::200e"])(
  "takes the public address %s",
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

test.each([
  ["loopback", ["127.0.0.1", "127.255.255.254", "::1"]],
  ["unspecified and this network", ["0.0.0.0", "0.1.2.3", "::"]],
  ["private", ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12::1", "fec0::1"]],
  ["link-local", ["169.254.0.1", "fe80::1", "fe80::1%eth0"]],
  [
    "metadata",
    ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"],
  ],
  ["carrier-grade", ["100.64.0.1", "100.127.255.255"]],
  ["multicast and broadcast", ["224.0.0.1", "239.1.1.1", "255.255.255.255", "ff02::1"]],
  ["benchmarking", ["198.18.0.1", "198.19.255.255", "2001:2::1"]],
  ["documentation", ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"]],
  ["reserved", ["240.0.0.1", "192.88.99.1", "100::1", "5f00::1", "4000::1"]],
  ["mapped and compatible", ["::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8", "::127.0.0.1", "::8.8.8.8"]],
  ["NAT64", ["64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1"]],
  [
    "6to4, Teredo, ISATAP",
    ["2002:7f00:1::1", "2002:808:808::", "2001::1", "2600::5efe:7f00:1", "2600::200:5efe:a00:1"],
  ],
  ["no address", ["", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "1.2.3.4.5", "8.8.8.8 "]],
])("refuses %s", (_kind, addresses) => {
  expect(addresses.filter(isPublicAddress)).toEqual([]);
});
