import type { Keyring } from "#lib/seal.ts";
import { secretMask, type CallbackVar } from "#logging/callback.ts";
import { envReference } from "#logging/env-reference.ts";
import { Metadata } from "#logging/read-logging.ts";

const pattern = /^\*{8}[\w+/=.-]{0,4} \(fingerprint [0-9a-f]{10}\)$/;
const shownFromLength = 12;

/**
 * What a row shows of a secret: its last four characters and a fingerprint, so that people recognise it. Short secrets
 * and those that are no plain token show the fingerprint alone; a reference to the environment shows the mask.
 */
export function toSecretHint(keyring: Keyring, value: CallbackVar): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (envReference(text) !== null) return secretMask;
  const end = text.slice(-4);
  const shown = text.length >= shownFromLength && /^[\w+/=.-]{4}$/.test(end) ? end : "";
  return `********${shown} (fingerprint ${keyring.fingerprint(text)})`;
}

/** True for a text that stands for a secret in an answer. Written back, it means "keep what is stored". */
export function isShownSecret(value: unknown): boolean {
  return typeof value === "string" && (value === secretMask || pattern.test(value));
}

/** The same object with every secret as the plain mask: how audit entries and the callback routes show them. */
export function hideSecretHints(shown: object): Metadata {
  const hide = (_name: string, value: unknown): unknown => (isShownSecret(value) ? secretMask : value);
  return Metadata.parse(JSON.parse(JSON.stringify(shown), hide));
}
