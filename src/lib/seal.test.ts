import { expect, test } from "vitest";
import { encryptionKeyId, isSealedText, makeKeyring, sealedKeyId } from "#lib/seal.ts";
import { makeSigner } from "#lib/sign.ts";

const place = { purpose: "callback_vars", scope: "team-1", binding: "callback-1:langfuse_secret_key:host" };
const firstKey = "first master key of the test";
const secondKey = "second master key of the test";

test("opens what it sealed, and the text shows nothing of it", () => {
  const keyring = makeKeyring([firstKey]);
  const sealed = keyring.sealText("sk-lf-secret", place);
  expect(isSealedText(sealed)).toBe(true);
  expect(sealed).not.toContain("sk-lf");
  expect(keyring.openText(sealed, place)).toBe("sk-lf-secret");
});

test.each([
  { ...place, purpose: "session" },
  { ...place, scope: "team-2" },
  { ...place, binding: "callback-2:langfuse_secret_key:host" },
])("refuses a sealed value in another place", (elsewhere) => {
  const keyring = makeKeyring([firstKey]);
  const sealed = keyring.sealText("sk-lf-secret", place);
  expect(() => keyring.openText(sealed, elsewhere)).toThrow();
});

test("opens old values after the master key was rotated, and not without the old key", () => {
  const sealed = makeKeyring([firstKey]).sealText("sk-lf-secret", place);
  expect(makeKeyring([secondKey, firstKey]).openText(sealed, place)).toBe("sk-lf-secret");
  expect(() => makeKeyring([secondKey]).openText(sealed, place)).toThrow("not configured any more");
});

test("refuses changed bytes", () => {
  const keyring = makeKeyring([firstKey]);
  const sealed = keyring.seal(Buffer.from("content"), place);
  sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
  expect(() => keyring.open(sealed, place)).toThrow();
});

test("a key that could be guessed makes no keyring and no signer", () => {
  for (const short of ["", "fifteen letters"]) {
    expect(() => makeKeyring([short])).toThrow("fewer than 16 characters");
    expect(() => makeKeyring([firstKey, short])).toThrow("fewer than 16 characters");
    expect(() => makeSigner([short])).toThrow("fewer than 16 characters");
  }
});

test("a sealed value names its key, and so does the error if that key is missing", () => {
  const sealed = makeKeyring([secondKey, firstKey]).seal("text", place);
  expect(sealedKeyId(sealed)).toBe(encryptionKeyId(secondKey));
  expect(sealedKeyId(Buffer.from("no sealed value at all, but long enough"))).toBeNull();
  const keyId = encryptionKeyId(secondKey);
  expect(() => makeKeyring([firstKey]).open(sealed, place)).toThrow(
    expect.objectContaining({ name: "MissingKeyError", keyId }),
  );
});
