import { createPublicKey, verify } from "node:crypto";
import { expect, test } from "vitest";
import { makeSigner, readSigned } from "#lib/sign.ts";

const keys = ["a first encryption key", "a second encryption key"] as const;

test("what was signed is checked with the published key alone, and a changed letter is noticed", () => {
  const signer = makeSigner([keys[0]]);
  const jws = signer.sign({ team: "é" });
  const [header = "", payload = "", signature = ""] = jws.split(".");
  const [key] = signer.publicKeys;
  if (!key) throw new Error("A signer publishes its key.");
  const isGenuine = (signed: string): boolean =>
    verify(null, Buffer.from(signed), createPublicKey({ key, format: "jwk" }), Buffer.from(signature, "base64url"));
  expect(isGenuine(`${header}.${payload}`)).toBe(true);
  const other = Buffer.from(JSON.stringify({ team: "e" })).toString("base64url");
  expect(isGenuine(`${header}.${other}`)).toBe(false);
  expect(readSigned(jws, signer.publicKeys)).toEqual({ team: "é" });
  expect(readSigned(`${header}.${other}.${signature}`, signer.publicKeys)).toBeNull();
});

test("every process with the same encryption key has the same signing key, and a former one stays published", () => {
  const before = makeSigner([keys[0]]);
  const rotated = makeSigner([keys[1], keys[0]]);
  expect(makeSigner([keys[0]]).publicKeys).toEqual(before.publicKeys);
  expect(readSigned(before.sign(1), rotated.publicKeys)).toBe(1);
  expect(readSigned(rotated.sign(1), before.publicKeys)).toBeNull();
});
