import { createHash, hash, randomBytes, randomFillSync } from "node:crypto";
import { v7 } from "uuid";

/** A new record id: UUIDv7, sortable by time. */
export function newRecordId(): string {
  return v7({ random: takeRandom(recordIdBytes) });
}

const recordIdBytes = 16;
const pool = Buffer.alloc(8_192);
let poolOffset = pool.length;

/** Random bytes, fetched from the system for many at a time. A caller must use them before it asks again. */
export function takeRandom(bytes: number): Buffer {
  if (poolOffset + bytes > pool.length) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  poolOffset += bytes;
  return pool.subarray(poolOffset - bytes, poolOffset);
}

/** Lower-case hex SHA-256 of a text. */
export function sha256Hex(text: string): string {
  return hash("sha256", text, "hex");
}

/** A new virtual key: `sk-` and 22 url-safe characters (16 random bytes). */
export function newVirtualKey(): string {
  return `sk-${randomBytes(16).toString("base64url")}`;
}

/**
 * The first `bytes` bytes of the SHA-256 over the parts, in hex. The parts are separated, so `["ab","c"]` and
 * `["a","bc"]` differ.
 */
export function derivedHex(parts: readonly string[], bytes: number): string {
  const digest = createHash("sha256");
  for (const part of parts) digest.update(`${String(part.length)}:${part}`);
  return digest.digest("hex").slice(0, bytes * 2);
}
