import { expect, test } from "vitest";
import { isOwnHost } from "#auth/portal-settings.ts";

test.each(["localhost:4000", "127.0.0.1:4000", "[::1]:4000", "10.0.0.7", "LOCALHOST"])(
  "%s is ours without NEXTAUTH_URL",
  (host) => {
    expect(isOwnHost(host, null)).toBe(true);
  },
);

test.each(["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:4000", "", "127.0.0.1/x", "a@localhost"])(
  "%j is not",
  (host) => {
    expect(isOwnHost(host, null)).toBe(false);
  },
);

test("with NEXTAUTH_URL its host alone is ours", () => {
  const url = new URL("https://logs.example.com/");
  expect(isOwnHost("logs.example.com", url)).toBe(true);
  expect(isOwnHost("Logs.Example.com", url)).toBe(true);
  expect(isOwnHost("127.0.0.1:4000", url)).toBe(false);
  expect(isOwnHost("logs.example.com:8443", url)).toBe(false);
});
