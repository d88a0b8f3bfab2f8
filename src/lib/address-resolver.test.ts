import { afterEach, expect, test } from "vitest";
import { resolveHost, resolverState } from "#lib/address-resolver.ts";

afterEach(() => {
  resolverState.clear();
});

test("asks the operating system, many times at once", async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => resolveHost("localhost")));
  for (const addresses of answers) expect(addresses.every((each) => /^(127\.|::1$)/.test(each))).toBe(true);
});

test("goes on after names that do not resolve", async () => {
  const names = Array.from({ length: 8 }, (_each, index) => `no such name ${String(index)}`);
  const answers = await Promise.allSettled(names.map(resolveHost));
  expect(answers.every(({ status }) => status === "rejected")).toBe(true);
  expect((await resolveHost("localhost")).length).toBeGreaterThan(0);
});

test("asks the resolver that was set", async () => {
  resolverState.set((host) => Promise.resolve([host === "a.example" ? "192.0.2.1" : "192.0.2.2"]));
  expect(await resolveHost("a.example")).toEqual(["192.0.2.1"]);
});
