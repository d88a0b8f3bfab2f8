import { realpathSync } from "node:fs";
import { isAbsolute, relative, resolve } from "node:path";
import type { TeamVarsSettings, VarsFault } from "#logging/destinations/destination.ts";
import { googleTokenUri, parseServiceAccount } from "#lib/google-account.ts";
import { failedToLoad } from "#logging/destinations/gcs-bucket-account.ts";

/**
 * What a team or a key may not write. A path lies in one of the operator's folders or is a reference that the operator
 * allows, and does not go with an API endpoint of the team's own, which would receive the operator's token. A pasted key
 * is a service account's and asks for tokens at Google, or where the operator says. No text repeats a value.
 */
export function checkGcsVars(vars: Readonly<Record<string, unknown>>, settings: TeamVarsSettings): VarsFault | null {
  const path = toText(vars["gcs_path_service_account"]);
  if (path !== "") {
    const name = "gcs_path_service_account";
    if (toText(vars["gcs_api_endpoint"]) !== "") {
      return fault(name, "A file of the operator cannot be used with gcs_api_endpoint: give gcs_service_account_json.");
    }
    if (!isReference(path) && !isInside(path, settings.serviceAccountDirs)) {
      const advice = "Paste the file's content as gcs_service_account_json.";
      return fault(name, `A path must lie inside general_settings.service_account_dirs. ${advice}`);
    }
  }
  const json = toText(vars["gcs_service_account_json"]);
  if (json === "" || isReference(json)) return null;
  const account = parseServiceAccount(json);
  if (account === null) {
    return fault("gcs_service_account_json", 'It must be the JSON key of a service account (type "service_account").');
  }
  if ([googleTokenUri, ...settings.googleTokenUris].includes(account.tokenUri)) return null;
  return fault(
    "gcs_service_account_json",
    `Its token_uri must be ${googleTokenUri}, or be listed in general_settings.google_token_uris.`,
  );
}

function fault(name: string, reason: string): VarsFault {
  return { name, message: `${failedToLoad} ${reason}` };
}

/** By its name and, where it exists, by where it really lies: a link must not lead out. */
function isInside(path: string, folders: readonly string[]): boolean {
  if (!isAbsolute(path)) return false;
  const real = findRealPath(path);
  return folders.some(
    (folder) => isBelow(path, folder) && (real === null || isBelow(real, findRealPath(folder) ?? folder)),
  );
}

function findRealPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(resolve(folder), resolve(path));
  return way !== "" && !/^\.\.([/\\]|$)/.test(way) && !isAbsolute(way);
}

function isReference(value: string): boolean {
  return value.startsWith("os.environ/");
}

function toText(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}
