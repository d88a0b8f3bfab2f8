import { expect, test } from "vitest";
import { hasNamedAddress, isNamedAddress, isNamedHost, parsePrivateHosts } from "#lib/address-private-hosts.ts";

const allowed = parsePrivateHosts([
  "langfuse.internal",
  " Sink.Example.:3000 ",
  "127.0.0.1:9000",
  "10.1.0.0/16",
  "192.168.7.7",
  "[fd00::7]:4318",
  "fd12::/32",
  "",
]);

test.each([
  ["langfuse.internal", 443, true],
  ["langfuse.internal", 80, true],
  ["other.langfuse.internal", 80, false],
  ["sink.example", 3000, true],
  ["sink.example", 3001, false],
])("opens the host %s on port %i: %s", (host, port, open) => {
  expect(isNamedHost(allowed, host, port)).toBe(open);
});

test.each([
  ["127.0.0.1", 9000, true],
  ["127.0.0.1", 9001, false],
  ["127.0.0.2", 9000, false],
  ["::ffff:127.0.0.1", 9000, false],
  ["10.1.255.255", 22, true],
  ["10.2.0.0", 22, false],
  ["192.168.7.7", 1, true],
  ["192.168.7.8", 1, false],
  ["fd00::7", 4318, true],
  ["fd00::7", 4317, false],
  ["fd12::1", 80, true],
  ["fd13::1", 80, false],
])("opens the address %s on port %i: %s", (address, port, open) => {
  expect(isNamedAddress(allowed, address, port)).toBe(open);
});

test("knows whether any address is open on a port", () => {
  const one = parsePrivateHosts(["127.0.0.1:9000"]);
  expect([hasNamedAddress(one, 9000), hasNamedAddress(one, 9001)]).toEqual([true, false]);
});

test.each([
  "http://langfuse.internal",
  "langfuse.internal/path",
  "user@host",
  "host:0",
  "host:65536",
  "host:port",
  "10.0.0.0/33",
  "10.0.0.0/x",
  "fd00::/129",
  "[::1",
  "[1.2.3.4]:80",
  "2130706433",
  "0x7f.1",
  "0177.0.0.1:80",
  "fe80::1%eth0",
  "*.internal",
  "two hosts",
  ":80",
  ".",
])("refuses the entry %s and names it", (entry) => {
  expect(() => parsePrivateHosts(["fine.example", entry])).toThrow(`"${entry}" is no entry`);
});
