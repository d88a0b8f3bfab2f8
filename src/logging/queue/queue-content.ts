import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Keyring, SealPlace } from "#lib/seal.ts";

/**
 * How every engine stores content: one byte that names the form, then the body in that form, all of it sealed. The
 * form is inside the seal, so nobody without the key can change it.
 */

/** Whose content it is and where it lies. It opens nowhere else. */
export type ContentPlace = { recordId: string; teamId: string | null; number: number };

const forms = { plain: 0, zstd: 1 } as const;
const plainMark = String.fromCharCode(forms.plain);

/**
 * Below this many bytes the fixed cost of a zstd call (about 35 µs to compress, 25 µs to expand) is more than what the
 * saved bytes cost to write: measured through the local queue, 4 kB records are cheaper uncompressed.
 */
export const compressFromBytes = 8192;

/** At 64 kB of JSON, level 1 takes 320 µs, level 3 400 µs and deflate 1 600 µs, for 33, 32 and 34 % of the size. */
const zstdOptions = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Compresses a body where that pays, and seals it for its place. */
export function sealContent(keyring: Keyring, place: ContentPlace, options: { body: string; now: Date }): Buffer {
  const { body, now } = options;
  if (Buffer.byteLength(body) < compressFromBytes) return keyring.seal(plainMark + body, contentPlace(place), now);
  const compressed = zstdCompressSync(body, zstdOptions);
  return keyring.seal(Buffer.concat([Buffer.of(forms.zstd), compressed]), contentPlace(place), now);
}

/** The body that `sealContent` was given. Throws where key, place or bytes differ. */
export function openContent(keyring: Keyring, place: ContentPlace, sealed: Uint8Array): string {
  const opened = keyring.open(sealed, contentPlace(place));
  const stored = opened.subarray(1);
  if (opened[0] === forms.plain) return stored.toString("utf8");
  if (opened[0] === forms.zstd) return zstdDecompressSync(stored).toString("utf8");
  throw new Error(`Queued content has the form ${String(opened[0])}, which this version does not know.`);
}

/** Where sealed content belongs. */
export function contentPlace(place: ContentPlace): SealPlace {
  const binding = `${place.recordId}:${String(place.number)}`;
  return { purpose: "queue", scope: place.teamId ?? "operator", binding };
}
