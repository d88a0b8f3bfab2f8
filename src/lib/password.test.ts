import { expect, test } from "vitest";
import { hashPassword, verifyPassword } from "#lib/password.ts";

test("a password fits its own hash and no other one", async () => {
  const stored = await hashPassword("correct horse battery");
  expect(await verifyPassword("correct horse battery", stored)).toBe(true);
  expect(await verifyPassword("correct horse batterz", stored)).toBe(false);
  expect(await hashPassword("correct horse battery")).not.toBe(stored);
});

test("two ways to write the same letters are the same password", async () => {
  const stored = await hashPassword("caf\u00e9-au-lait");
  expect(await verifyPassword("cafe\u0301-au-lait", stored)).toBe(true);
});

test.each([null, "", "scrypt", "correct horse battery", "scrypt$1$1$1$$"])(
  "nothing fits the stored text %j",
  async (stored) => {
    expect(await verifyPassword("correct horse battery", stored)).toBe(false);
    expect(await verifyPassword("", stored)).toBe(false);
  },
);
