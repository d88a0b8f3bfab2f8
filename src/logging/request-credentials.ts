import { createHmac, randomBytes } from "node:crypto";
import { parseGuardedUrl } from "#lib/address-guard.ts";
import { AppError } from "#lib/errors.ts";
import { stateCell } from "#lib/state.ts";
import type { CallbackVars } from "#logging/callback.ts";
import { envReference } from "#logging/env-reference.ts";

/** A whole pair that a request brought, and the host that belongs to it; absent: the operator's, else Langfuse's. */
export type RequestCredentials = {
  langfuse_public_key: string;
  langfuse_secret_key: string;
  langfuse_host?: string;
};

/** The destination that takes credentials from requests. */
export const requestCallbackName = "langfuse";

const prefix = "request:";
const charactersMax = 512;

/** Keyed by a secret of this process, so that the id, which is stored in clear, tells nobody the credentials. */
const idKey = stateCell<Buffer>("request-credentials-id-key");

/**
 * Reads credentials out of one place of a request. What is wrong is said without any value. References to the
 * environment are never resolved for a request, and a host that the address guard refuses is not used.
 */
export function toRequestCredentials(
  place: Readonly<Record<string, unknown>>,
): { credentials: RequestCredentials } | { fault: string } {
  const publicKey = toText(place["langfuse_public_key"]);
  const secretKey = toText(place["langfuse_secret"]) ?? toText(place["langfuse_secret_key"]);
  if (publicKey === null || secretKey === null) return { fault: "half of the pair is missing" };
  const host = toText(place["langfuse_host"]);
  const given = [publicKey, secretKey, ...(host === null ? [] : [host])];
  if (given.some((value) => envReference(value) !== null)) return { fault: "it is a reference to the environment" };
  if (given.some((value) => value.length > charactersMax)) return { fault: "a value is too long" };
  if (host !== null) {
    try {
      parseGuardedUrl(/^[a-z][a-z0-9+.-]*:\/\//i.test(host) ? host : `https://${host}`);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { fault: "the host is refused by the address guard" };
    }
  }
  return {
    credentials: {
      langfuse_public_key: publicKey,
      langfuse_secret_key: secretKey,
      ...(host === null ? {} : { langfuse_host: host }),
    },
  };
}

/** The callback id of what goes to these credentials: `request:langfuse:own-host:<digest>`, or `:default-host:`. */
export function toRequestCallbackId(credentials: RequestCredentials): string {
  const key = idKey.find() ?? randomBytes(32);
  idKey.set(key);
  const { langfuse_public_key: publicKey, langfuse_secret_key: secretKey, langfuse_host: host } = credentials;
  const digest = createHmac("sha256", key)
    .update(JSON.stringify([publicKey, secretKey, host ?? null]))
    .digest("hex");
  const where = host === undefined ? "default-host" : "own-host";
  return `${prefix}${requestCallbackName}:${where}:${digest.slice(0, 32)}`;
}

/** True for the id of a callback that stands in a request alone. */
export function isRequestCallbackId(callbackId: string): boolean {
  return callbackId.startsWith(prefix);
}

/**
 * The variables of such a callback with a mark in the place of what each of its records holds, so that nothing of the
 * operator's is put there.
 */
export function markedVars(callbackId: string): CallbackVars {
  const mark = "(in the record)";
  const pair = { langfuse_public_key: mark, langfuse_secret_key: mark };
  return callbackId.split(":")[2] === "own-host" ? { ...pair, langfuse_host: mark } : pair;
}

function toText(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const text = value.trim();
  return text === "" ? null : text;
}
