import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import { LRUCache } from "lru-cache";
import { sha256Hex, takeRandom } from "#lib/id.ts";
import { stateCell } from "#lib/state.ts";

/**
 * Sealing of secrets and of queued content: AES-256-GCM under keys that HKDF derives per purpose, scope and day from
 * a master key. The associated data binds what was sealed to its place, so a sealed text is worthless elsewhere.
 */

/** Where a sealed value belongs. Opening it anywhere else fails. */
export type SealPlace = {
  /** What it is for, for example `callback_vars` or `queue`. Each purpose has its own keys. */
  purpose: string;
  /** Whose it is: a team id, or `operator`. Each scope has its own keys. */
  scope: string;
  /** Record, field and target host, joined by the caller. */
  binding: string;
};

/** Seals and opens with the master keys it was made of. */
export type Keyring = {
  /** The ids of its master keys; the first one seals. */
  keyIds: readonly string[];
  /** Seals bytes, of a text those of UTF-8; the result is version, master key id, day, nonce, tag and ciphertext. */
  seal(plain: Uint8Array | string, place: SealPlace, now?: Date): Buffer;
  /** Opens what `seal` made; throws where key, place or bytes differ. */
  open(sealed: Uint8Array, place: SealPlace): Buffer;
  /** `seal` for text, as url-safe text with the prefix `sealed.`. */
  sealText(plain: string, place: SealPlace): string;
  openText(sealed: string, place: SealPlace): string;
  /** Ten hexadecimal digits that tell one text from another. Keyed, so nobody can try out guesses against them. */
  fingerprint(plain: string): string;
};

const version = 1;
const headerBytes = 7;
const nonceBytes = 12;
const tagBytes = 16;
const dayMs = 86_400_000;
const textPrefix = "sealed.";

/** Shorter master keys could be guessed. */
export const masterKeyLengthMin = 16;

/** A value was sealed under a master key that the keyring does not have. */
export class MissingKeyError extends Error {
  override name = "MissingKeyError";
  readonly keyId: string;

  constructor(keyId: string) {
    super(`Sealed under the encryption key ${keyId}, which is not configured any more.`);
    this.keyId = keyId;
  }
}

/** True for a text that `sealText` made. */
export function isSealedText(text: string): boolean {
  return text.startsWith(textPrefix);
}

/** The id of the master key that a value was sealed under; null if it is no sealed value. It is not proved by anything. */
export function sealedKeyId(sealed: Uint8Array): string | null {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < headerBytes + nonceBytes + tagBytes || bytes.readUInt8(0) !== version) return null;
  return toHex(bytes.readUInt32BE(1));
}

/** The bytes of a sealed text, for `sealedKeyId`. */
export function sealedBytes(sealedText: string): Buffer {
  return Buffer.from(sealedText.slice(textPrefix.length), "base64url");
}

/** Sealed bytes as text, as `sealText` makes it. */
export function toSealedText(sealed: Buffer): string {
  return textPrefix + sealed.toString("base64url");
}

/** The keyring of this process. */
export const keyringState = stateCell<Keyring>("keyring");

/**
 * Makes a keyring. The first master key seals, all of them open, so a key is rotated by putting the new one first.
 * A master key is any text of 16 characters or more.
 */
export function makeKeyring(masterKeys: readonly string[]): Keyring {
  const [current] = masterKeys;
  if (current === undefined) throw new Error("A keyring needs a master key.");
  assertLongEnough(masterKeys);
  const masters = new Map(masterKeys.map((key) => [masterKeyId(key), Buffer.from(key, "utf8")]));
  const currentId = masterKeyId(current);
  const derived = new LRUCache<string, KeyObject>({ max: 4096 });

  function keyFor(masterId: number, day: number, place: SealPlace): KeyObject {
    const name = `${String(masterId)}:${String(day)}:${place.purpose}:${place.scope}`;
    const known = derived.get(name);
    if (known) return known;
    const master = masters.get(masterId);
    if (!master) throw new MissingKeyError(toHex(masterId));
    const info = JSON.stringify(["sluice", place.purpose, place.scope, day]);
    const key = createSecretKey(Buffer.from(hkdfSync("sha256", master, Buffer.alloc(0), info, 32)));
    derived.set(name, key);
    return key;
  }

  function seal(plain: Uint8Array | string, place: SealPlace, now = new Date()): Buffer {
    const day = Math.floor(now.getTime() / dayMs);
    const header = Buffer.alloc(headerBytes);
    header.writeUInt8(version, 0);
    header.writeUInt32BE(currentId, 1);
    header.writeUInt16BE(day, 5);
    const nonce = takeRandom(nonceBytes);
    const cipher = createCipheriv("aes-256-gcm", keyFor(currentId, day, place), nonce);
    cipher.setAAD(associatedData(header, place));
    const text = typeof plain === "string" ? cipher.update(plain, "utf8") : cipher.update(plain);
    cipher.final();
    return Buffer.concat([header, nonce, cipher.getAuthTag(), text]);
  }

  function open(sealed: Uint8Array, place: SealPlace): Buffer {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    if (bytes.length < headerBytes + nonceBytes + tagBytes || bytes.readUInt8(0) !== version) {
      throw new Error("Not a sealed value.");
    }
    const header = bytes.subarray(0, headerBytes);
    const nonce = bytes.subarray(headerBytes, headerBytes + nonceBytes);
    const tag = bytes.subarray(headerBytes + nonceBytes, headerBytes + nonceBytes + tagBytes);
    const key = keyFor(header.readUInt32BE(1), header.readUInt16BE(5), place);
    const decipher = createDecipheriv("aes-256-gcm", key, nonce);
    decipher.setAAD(associatedData(header, place));
    decipher.setAuthTag(tag);
    const text = decipher.update(bytes.subarray(headerBytes + nonceBytes + tagBytes));
    decipher.final();
    return text;
  }

  function fingerprint(plain: string): string {
    const key = keyFor(currentId, 0, { purpose: "fingerprint", scope: "", binding: "" });
    return createHmac("sha256", key).update(plain).digest("hex").slice(0, 10);
  }

  return {
    keyIds: masterKeys.map(encryptionKeyId),
    seal,
    open,
    fingerprint,
    sealText: (plain, place) => toSealedText(seal(plain, place)),
    openText(sealed, place) {
      if (!isSealedText(sealed)) throw new Error("Not a sealed text.");
      return open(sealedBytes(sealed), place).toString("utf8");
    },
  };
}

/** Throws if a master key is so short that it could be guessed: what it seals or signs would be worth nothing. */
export function assertLongEnough(masterKeys: readonly string[]): void {
  if (masterKeys.every((key) => key.length >= masterKeyLengthMin)) return;
  throw new Error(`An encryption key has fewer than ${String(masterKeyLengthMin)} characters.`);
}

/** What stands for a master key in the database, in messages and in every sealed value: eight hexadecimal digits. */
export function encryptionKeyId(masterKey: string): string {
  return toHex(masterKeyId(masterKey));
}

function toHex(keyId: number): string {
  return keyId.toString(16).padStart(8, "0");
}

/** The first four bytes of the SHA-256 of a master key: tells which one sealed, says nothing about it. */
function masterKeyId(masterKey: string): number {
  return Number.parseInt(sha256Hex(`sluice master key id ${masterKey}`).slice(0, 8), 16);
}

function associatedData(header: Buffer, place: SealPlace): Buffer {
  return Buffer.concat([header, Buffer.from(JSON.stringify([place.purpose, place.scope, place.binding]), "utf8")]);
}
