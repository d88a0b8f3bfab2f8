import { createPrivateKey, createPublicKey, hash, hkdfSync, sign, verify, type KeyObject } from "node:crypto";
import { assertLongEnough } from "#lib/seal.ts";
import { stateCell } from "#lib/state.ts";

/** A public key as a JSON Web Key (RFC 8037). `kid` is its thumbprint (RFC 7638). */
export type PublicKey = { kty: "OKP"; crv: "Ed25519"; x: string; kid: string; use: "sig"; alg: "EdDSA" };

/** Signs what this installation says of itself, so that others can check it without any secret. */
export type Signer = {
  /** A compact JSON Web Signature (RFC 7515) over the UTF-8 JSON of a value. */
  sign(value: unknown): string;
  /** The keys that signatures may be of, the one in use first. */
  publicKeys: readonly PublicKey[];
};

/** The signer of this process. */
export const signerState = stateCell<Signer>("signer");

/** What PKCS #8 puts before the 32 bytes of an Ed25519 key (RFC 8410). */
const pkcs8Start = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * Makes a signer of the encryption keys: Ed25519 keys that HKDF derives from them, so there is none to keep, and every
 * process has the same. The first one signs; the others stay published, so that older statements can still be checked.
 */
export function makeSigner(masterKeys: readonly string[]): Signer {
  assertLongEnough(masterKeys);
  const pairs = masterKeys.map(makePair);
  const [current] = pairs;
  if (!current) throw new Error("A signer needs an encryption key.");
  return {
    sign(value) {
      const header = { alg: "EdDSA", kid: current.published.kid };
      const signed = [header, value].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
      return `${signed}.${sign(null, Buffer.from(signed), current.secret).toString("base64url")}`;
    },
    publicKeys: pairs.map(({ published }) => published),
  };
}

/** The value that a signature of one of these keys is over; null where it is no such signature. */
export function readSigned(jws: string, publicKeys: readonly PublicKey[]): unknown {
  const [header = "", payload = "", signature = ""] = jws.split(".");
  const signed = Buffer.from(`${header}.${payload}`);
  const isOf = (key: PublicKey): boolean =>
    verify(null, signed, createPublicKey({ key, format: "jwk" }), Buffer.from(signature, "base64url"));
  if (!publicKeys.some(isOf)) return null;
  return JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
}

function makePair(masterKey: string): { secret: KeyObject; published: PublicKey } {
  const info = JSON.stringify(["sluice", "statement signature"]);
  const seed = Buffer.from(hkdfSync("sha256", masterKey, Buffer.alloc(0), info, 32));
  const secret = createPrivateKey({ key: Buffer.concat([pkcs8Start, seed]), format: "der", type: "pkcs8" });
  const { x = "" } = createPublicKey(secret).export({ format: "jwk" });
  const kid = hash("sha256", JSON.stringify({ crv: "Ed25519", kty: "OKP", x }), "base64url");
  return { secret, published: { kty: "OKP", crv: "Ed25519", x, kid, use: "sig", alg: "EdDSA" } };
}
