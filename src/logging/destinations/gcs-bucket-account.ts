import { open } from "node:fs/promises";
import { parseServiceAccount, type ServiceAccount } from "#lib/google-account.ts";
import { misconfigured, type GcsVars } from "#logging/destinations/gcs-bucket-target.ts";
import type { Reach } from "#logging/destinations/destination.ts";

/** Who writes to the bucket. `default`: Google's application default credentials of this machine. `none`: nobody. */
export type GcsCredentials = { kind: "account"; account: ServiceAccount } | { kind: "default" } | { kind: "none" };

/** What LiteLLM says where a service account cannot be used; clients look for it. It tells nothing of the content. */
export const failedToLoad =
  "Failed to load vertex credentials. Check to see if credentials containing partial/invalid information.";

const fileBytesMax = 64 * 1024;

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
