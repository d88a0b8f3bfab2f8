import { createPrivateKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { derivedHex } from "#lib/id.ts";
import { readJson } from "#lib/read-json.ts";

/** The key of a service account, ready to sign. `fingerprint` differs where anything in its file does. */
export type ServiceAccount = {
  email: string;
  key: KeyObject;
  keyId: string | null;
  tokenUri: string;
  fingerprint: string;
};

/** Where Google gives tokens for the keys of service accounts. */
export const googleTokenUri = "https://oauth2.googleapis.com/token";

const AccountFile = z.object({
  type: z.literal("service_account"),
  client_email: z.string().regex(/^[^\s@]+@[^\s@]+$/),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
  token_uri: z.string().default(googleTokenUri),
});

/**
 * Reads the key of a service account. Null for anything else: above all for the kinds of credentials that run programs
 * or fetch addresses.
 */
export function parseServiceAccount(text: string): ServiceAccount | null {
  try {
    const file = AccountFile.parse(readJson(text));
    const key = createPrivateKey(file.private_key);
    if (key.asymmetricKeyType !== "rsa") return null;
    return {
      email: file.client_email,
      key,
      keyId: file.private_key_id ?? null,
      tokenUri: file.token_uri,
      fingerprint: derivedHex([text], 32),
    };
  } catch {
    return null;
  }
}
