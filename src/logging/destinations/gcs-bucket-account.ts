import { createPrivateKey, type KeyObject } from "node:crypto";
import { open } from "node:fs/promises";
import { z } from "zod";
import { derivedHex } from "#lib/id.ts";
import { misconfigured, type GcsVars } from "#logging/destinations/gcs-bucket-target.ts";
import type { Reach } from "#logging/destinations/destination.ts";

/** The key of a service account, ready to sign. `fingerprint` differs where anything in its file does. */
export type ServiceAccount = {
  email: string;
  key: KeyObject;
  keyId: string | null;
  tokenUri: string;
  fingerprint: string;
};

/** Who writes to the bucket. `default`: Google's application default credentials of this machine. `none`: nobody. */
export type GcsCredentials = { kind: "account"; account: ServiceAccount } | { kind: "default" } | { kind: "none" };

/** Where Google gives tokens for the keys of service accounts. */
export const googleTokenUri = "https://oauth2.googleapis.com/token";

/** What LiteLLM says where a service account cannot be used; clients look for it. It tells nothing of the content. */
export const failedToLoad =
  "Failed to load vertex credentials. Check to see if credentials containing partial/invalid information.";

const fileBytesMax = 64 * 1024;

const AccountFile = z.object({
  type: z.literal("service_account"),
  client_email: z.string().regex(/^[^\s@]+@[^\s@]+$/),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
  token_uri: z.string().default(googleTokenUri),
});

/**
 * The credentials that the variables give: the pasted JSON, else the file. Without either the machine's own are used,
 * for the operator's target alone; at an emulator none. Throws `UpstreamError` with the one text for whatever is wrong.
 */
export async function loadCredentials(
  vars: GcsVars,
  target: { reach: Reach; isGoogle: boolean },
): Promise<GcsCredentials> {
  const json = vars.gcs_service_account_json?.trim() ?? "";
  const path = vars.gcs_path_service_account?.trim() ?? "";
  if (json === "" && path === "") return withoutAccount(target);
  const account = parseServiceAccount(json === "" ? await readAccountFile(path) : json);
  if (account === null) throw misconfigured(failedToLoad);
  return { kind: "account", account };
}

/**
 * Reads the key of a service account. Null for anything else: above all for the kinds of credentials that run programs
 * or fetch addresses.
 */
export function parseServiceAccount(text: string): ServiceAccount | null {
  try {
    const file = AccountFile.parse(JSON.parse(text));
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

function withoutAccount({ reach, isGoogle }: { reach: Reach; isGoogle: boolean }): GcsCredentials {
  if (reach === "guarded") throw misconfigured(failedToLoad);
  return { kind: isGoogle ? "default" : "none" };
}

/** The file's beginning; a device or a folder is no key. */
async function readAccountFile(path: string): Promise<string> {
  try {
    await using file = await open(path, "r");
    if (!(await file.stat()).isFile()) throw new Error("It is no file.");
    const { buffer, bytesRead } = await file.read(Buffer.alloc(fileBytesMax), 0, fileBytesMax, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } catch {
    throw misconfigured(failedToLoad);
  }
}
