import { afterEach, expect, test } from "vitest";
import { checkGuardedUrl, parseGuardedUrl } from "#lib/address-guard.ts";
import { parsePrivateHosts } from "#lib/address-private-hosts.ts";
import { resolverState } from "#lib/address-resolver.ts";
import { AppError } from "#lib/errors.ts";

const nothing = parsePrivateHosts([]);

afterEach(() => {
  resolverState.clear();
});

test.each([
  ["https://cloud.langfuse.com", "https://cloud.langfuse.com/"],
  ["https://cloud.langfuse.com:443/api?x=1", "https://cloud.langfuse.com/api?x=1"],
  ["HTTPS://Cloud.Langfuse.com./a", "https://cloud.langfuse.com/a"],
  ["https://8.8.8.8/", "https://8.8.8.8/"],
  ["https://[2606:4700:4700::1111]/", "https://[2606:4700:4700::1111]/"],
  ["https://bücher.example/", "https://xn--bcher-kva.example/"],
])("takes %s", (text, href) => {
  expect(parseGuardedUrl(text, nothing).href).toBe(href);
});

const hosts = [
  "127.0.0.1",
  "localhost",
  "LOCALHOST",
  "api.localhost",
  "0.0.0.0",
  "0",
  "[::1]",
  "[::]",
  "[::ffff:127.0.0.1]",
  "[::127.0.0.1]",
  "2130706433",
  "0x7f.1",
  "0x7f000001",
  "0177.0.0.1",
  "127.1",
  "169.254.169.254",
  "metadata.google.internal",
  "db.internal",
  "printer.local",
  "[fd00:ec2::254]",
  "100.100.100.200",
  "10.0.0.1",
  "172.16.5.4",
  "192.168.0.1",
  "100.64.0.1",
  "[64:ff9b::7f00:1]",
  "[64:ff9b:1::7f00:1]",
  "[2002:7f00:1::]",
  "127.0.0.1.",
  "localhost.",
  "localhost..",
  "metadata.google.internal.",
  "127。0。0。1",
  "１２７.0.0.1",
  "loc\u00adalhost",
  "ⓛocalhost",
  "%6cocalhost",
];

test.each(hosts)("refuses https://%s/ and names the setting that would open it", (host) => {
  const parse = () => parseGuardedUrl(`https://${host}/`, nothing);
  expect(parse).toThrow(AppError);
  expect(parse).toThrow(/refused: .*general_settings\.private_destination_hosts or SLUICE_PRIVATE_DESTINATION_HOSTS/);
});

test.each([
  ["http://cloud.langfuse.com/", "only https is allowed"],
  ["https://cloud.langfuse.com:22/", "only port 443 is allowed"],
  ["https://cloud.langfuse.com:2375/", "only port 443 is allowed"],
  ["https://cloud.langfuse.com:5432/", "only port 443 is allowed"],
  ["https://cloud.langfuse.com:6379/", "only port 443 is allowed"],
  ["https://user:pass@cloud.langfuse.com/", "must not hold a user name"],
  ["https://@cloud.langfuse.com/", "must not hold a user name"],
  ["https://cloud.langfuse.com\\@127.0.0.1/", "a backslash"],
  ["https:\\\\127.0.0.1\\", "a backslash"],
  ["https://exa\tmple.com/", "a control character"],
  ["https://example.com/\n", "a control character"],
  ["https://example.com/\u0000", "a control character"],
  [" https://example.com/", "a space"],
  ["https:example.com", "must start with https://"],
  ["https:///example.com/", "must start with https://"],
  ["https://", "must start with https://"],
  ["https://?x", "must start with https://"],
  ["https://./", "not valid"],
  ["https://example.com:0/", "not valid"],
  ["https://example.com:99999/", "not valid"],
  ["https://exa%00mple.com/", "not valid"],
  ["https://[fe80::1%25eth0]/", "not valid"],
  ["file:///etc/passwd", "must start with https://"],
  ["gopher://127.0.0.1:6379/_x", "must start with https://"],
  ["unix:/var/run/docker.sock", "must start with https://"],
  ["http+unix://%2Fvar%2Frun%2Fdocker.sock/", "must start with https://"],
  ["javascript:alert(1)", "must start with https://"],
  ["", "must start with https://"],
])("refuses %j: %s", (text, reason) => {
  expect(() => parseGuardedUrl(text, nothing)).toThrow(reason);
});

test("shows no credentials of a URL that it refuses", () => {
  expect(() => parseGuardedUrl("http://user:hunter2@127.0.0.1/", nothing)).not.toThrow("hunter2");
});

test("opens exactly what the operator names", () => {
  const allowed = parsePrivateHosts(["127.0.0.1:9000", "langfuse.internal", "sink.local:8080"]);
  const opened = [
    "http://127.0.0.1:9000/",
    "http://0x7f.1:9000/",
    "http://langfuse.internal:3000/",
    "https://sink.local:8080/",
  ];
  const closed = ["http://127.0.0.1:9001/", "http://127.0.0.1/", "https://127.0.0.1/", "http://127.0.0.2:9000/"];
  const alsoClosed = [
    "http://[::1]:9000/",
    "http://[::ffff:127.0.0.1]:9000/",
    "http://sink.local/",
    "http://a.langfuse.internal/",
  ];
  for (const url of opened) expect(parseGuardedUrl(url, allowed).protocol).toMatch(/^https?:$/);
  for (const url of [...closed, ...alsoClosed]) expect(() => parseGuardedUrl(url, allowed), url).toThrow("refused");
});

test.each(["127.0.0.1", "169.254.169.254", "10.0.0.7", "::1", "fd00:ec2::254", "::ffff:127.0.0.1"])(
  "refuses a name that resolves to %s, without telling the address",
  async (address) => {
    resolverState.set(() => Promise.resolve(["93.184.216.34", address]));
    const error: unknown = await checkGuardedUrl("https://localtest.example/", nothing).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(AppError);
    expect(String(error)).toContain('"localtest.example" on port 443 is refused: it resolves to an address');
    expect(String(error)).not.toContain(address);
  },
);

test("takes a name that resolves to public addresses, and one that does not resolve", async () => {
  resolverState.set(() => Promise.resolve(["93.184.216.34", "2606:4700:4700::1111"]));
  expect((await checkGuardedUrl("https://public.example/", nothing)).hostname).toBe("public.example");
  resolverState.set(() => Promise.reject(new Error("ENOTFOUND")));
  expect((await checkGuardedUrl("https://later.example/", nothing)).hostname).toBe("later.example");
});

test("an address entry opens the names that resolve into it, on its port only", async () => {
  const allowed = parsePrivateHosts(["10.0.0.0/8", "192.168.1.1:3000"]);
  resolverState.set((host) => Promise.resolve(host === "ten.example" ? ["10.2.3.4"] : ["192.168.1.1"]));
  expect((await checkGuardedUrl("http://ten.example:3000/", allowed)).port).toBe("3000");
  expect((await checkGuardedUrl("http://one.example:3000/", allowed)).port).toBe("3000");
  await expect(checkGuardedUrl("http://one.example:3001/", allowed)).rejects.toThrow("only https");
  await expect(checkGuardedUrl("https://one.example/", allowed)).rejects.toThrow("resolves to an address");
});
